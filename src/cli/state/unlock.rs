//! `tapctl state unlock`

use crate::cli::context::Desk;
use crate::cli::run::confirm;
use crate::cli::stop::Stopper;
use crate::cli::{Common, Done, Error};
use crate::render;
use crate::state::{Fate, HEARTBEAT, Holder, Item, LockRecord, StateError, Store, unlock};

/// Free a lock whose owner does not.
///
/// Seldom needed: the lock of a killed run is free at once on its own host, and elsewhere within a minute. An owner that
/// still runs stops at its next save, with nothing lost.
#[derive(Debug, clap::Args)]
pub(super) struct Unlock {
    #[command(flatten)]
    pub(super) common: Common,
    /// Do not ask.
    #[arg(long, short = 'y')]
    yes: bool,
    /// Free it although its owner runs on this host.
    #[arg(long)]
    force: bool,
}

impl Unlock {
    pub(super) async fn run(self) -> Result<Done, Error> {
        let desk = Desk::open(&self.common)?;
        let place = desk.store.place(Item::Lock);
        let record = match LockRecord::parse(desk.store.read(Item::Lock).await?.as_ref(), &place) {
            Ok(record) => Some(record),
            Err(StateError::Damaged { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let holder = match record {
            Some(LockRecord { holder: None, .. }) => {
                render::line(format!("{place} is free"))?;
                return Ok(Done::Clean);
            }
            Some(LockRecord { holder, .. }) => holder,
            None => None,
        };
        self.refuse_running(holder.as_ref())?;
        let held =
            holder.as_ref().map_or_else(|| "by nobody can tell whom".to_owned(), |holder| format!("by {holder}"));
        if let Some(warning) = holder.as_ref().and_then(warning) {
            render::note(&warning);
        }
        confirm(&Stopper::on_signals()?, self.yes, &format!("Free {place}, held {held}?")).await?;
        match unlock(&*desk.store, holder.as_ref()).await? {
            None => render::line(format!("{place} is free now; it was held {held}"))?,
            Some(other) => return Err(StateError::Locked { holder: Box::new(other) }.into()),
        }
        Ok(Done::Clean)
    }
}

/// What nobody can check of an owner, and what it would do.
fn warning(holder: &Holder) -> Option<String> {
    let seen = match holder.fate() {
        Fate::Gone => return None,
        Fate::Alive => "it still runs",
        Fate::Unknown => "whether it still runs cannot be seen from here",
    };
    let (pid, host, beat) = (holder.pid, &holder.host, HEARTBEAT.as_secs());
    Some(format!(
        "{seen}: stop it first (kill {pid} on {host}); freed, it would go on changing AWS for up to {beat} s beside the next run"
    ))
}

impl Unlock {
    fn refuse_running(&self, holder: Option<&Holder>) -> Result<(), Error> {
        match holder.filter(|holder| holder.fate() == Fate::Alive && !self.force) {
            None => Ok(()),
            Some(holder) => Err(Error::refused(
                format!("{holder} still runs on this host; nothing was changed"),
                format!("wait for it, or stop it (kill {}); --force frees the lock all the same", holder.pid),
            )),
        }
    }
}
