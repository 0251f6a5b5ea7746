//! `tapctl state push`, `rm`, `restore`

use std::io::Read as _;
use std::path::PathBuf;

use super::look::no_such_node;
use crate::cli::context::Desk;
use crate::cli::run::confirm;
use crate::cli::stop::Stopper;
use crate::cli::{Common, Done, Error};
use crate::render;
use crate::resources;
use crate::state::{Item, State, StateError, Store, Writer, dependents};

/// Put a document in place of the recorded one, which is kept as the backup.
///
/// It must be of the same lineage and not older than what is recorded, so that `pull`, an edit and `push` lose nothing
/// that a run recorded in between.
#[derive(Debug, clap::Args)]
pub(super) struct Push {
    #[command(flatten)]
    pub(super) common: Common,
    /// Go ahead with a document of another lineage, an older one, or over a damaged one; says what it overrides.
    #[arg(long)]
    force: bool,
    /// The document; `-` reads it from stdin.
    file: PathBuf,
}

/// Forget a node. Its object stays in AWS.
///
/// The next apply finds the object again by its name or tags, if it is there.
#[derive(Debug, clap::Args)]
pub(super) struct Rm {
    #[command(flatten)]
    pub(super) common: Common,
    /// Do not ask.
    #[arg(long, short = 'y')]
    yes: bool,
    /// Forget it although other recorded nodes depend on it.
    #[arg(long)]
    force: bool,
    /// The node.
    node: String,
}

/// Bring back the document as it stood before the last run that changed it.
///
/// What stands now becomes the backup in turn.
#[derive(Debug, clap::Args)]
pub(super) struct Restore {
    #[command(flatten)]
    pub(super) common: Common,
    /// Do not ask.
    #[arg(long, short = 'y')]
    yes: bool,
    /// Bring back the backup before that one.
    #[arg(long)]
    older: bool,
    /// Bring it back although what stands now is of another lineage.
    #[arg(long)]
    force: bool,
}

impl Push {
    pub(super) async fn run(self) -> Result<Done, Error> {
        let desk = Desk::open(&self.common)?;
        let place = match self.file.to_str() {
            Some("-") => "stdin".to_owned(),
            _ => self.file.display().to_string(),
        };
        let pushed = State::parse(&self.text(&place)?, &place).map_err(|error| repulled(error, &desk))?;
        desk.check_owner(&pushed, &place)?;
        check_kinds(&pushed, &place)?;
        desk.locked("state push", async |desk, writer| self.put(&desk, writer, pushed).await).await
    }

    fn text(&self, place: &str) -> Result<String, Error> {
        let mut text = String::new();
        let read = match place {
            "stdin" => std::io::stdin().read_to_string(&mut text).map(|_| text),
            _ => std::fs::read_to_string(&self.file),
        };
        let hint = "name a file that `tapctl state pull` has written; `-` reads one from stdin";
        match read {
            Ok(text) if text.trim().is_empty() => Err(Error::refused(format!("{place} is empty"), hint)),
            Ok(text) => Ok(text),
            Err(error) => Err(Error::refused(format!("{place} cannot be read: {error}"), hint)),
        }
    }

    async fn put(self, desk: &Desk, writer: &Writer, pushed: State) -> Result<Done, Error> {
        let place = desk.store.place(Item::Document);
        let (standing, mut objections) = match writer.load().await {
            Ok(standing) => (standing, Vec::new()),
            Err(StateError::Damaged { error, .. }) => (None, vec![format!("{place} is damaged: {error}")]),
            Err(error) => return Err(error.into()),
        };
        if let Some(standing) = &standing {
            let State { account, region, .. } = standing.clone();
            pushed.belongs_to(&State { account, region, ..pushed.clone() }, "the pushed document")?;
            objections.extend(objections_to(&pushed, standing, &place));
        }
        if !objections.is_empty() && !self.force {
            let hint = "pull it again and repeat the change there; or add --force to put this one in its place";
            return Err(Error::refused(objections.join("\n"), hint));
        }
        objections.iter().for_each(|objection| render::note(&format!("overridden: {objection}")));
        render::note(&unasked(&pushed));
        replace(writer, standing.as_ref(), pushed, &place).await
    }
}

/// What is wrong with a document that is pushed is wrong with that one: the one that stands is none the worse.
fn repulled(error: StateError, desk: &Desk) -> StateError {
    match error {
        StateError::Damaged { place, error, .. } => {
            let hint = format!("correct it, or begin again from what `{}` prints", desk.command_line("state pull"));
            StateError::Damaged { place, error, hint }
        }
        other => other,
    }
}

fn objections_to(pushed: &State, standing: &State, place: &str) -> Vec<String> {
    let mut objections = Vec::new();
    if pushed.lineage != standing.lineage {
        objections.push(other_lineage(place, standing, "this document", pushed));
    }
    if pushed.serial < standing.serial {
        objections.push(format!("{place} has serial {}, and this document only {}", standing.serial, pushed.serial));
    }
    objections
}

fn other_lineage(place: &str, standing: &State, from: &str, next: &State) -> String {
    format!("{place} is of lineage {}, and {from} of {}", standing.lineage, next.lineage)
}

fn check_kinds(state: &State, place: &str) -> Result<(), Error> {
    let kinds = resources::registry();
    match state.nodes.iter().find(|(_, node)| kinds.get(&node.kind).is_err()) {
        None => Ok(()),
        Some((name, node)) => Err(Error::refused(
            format!("{place}: the node {name} has the kind {}, which this tapctl does not know", node.kind),
            "correct it, or use the tapctl that wrote it",
        )),
    }
}

/// What nobody has checked of a document.
fn unasked(state: &State) -> String {
    format!("AWS is not asked whether account {} holds what it says; `tapctl drift` asks", state.account)
}

/// Saves a document as the next one after what stands.
async fn replace(writer: &Writer, standing: Option<&State>, next: State, place: &str) -> Result<Done, Error> {
    let serial = standing.map_or(0, |standing| standing.serial).max(next.serial);
    let mut next = State { serial, ..next };
    writer.put(&mut next).await?;
    render::line(format!("{place} has serial {} now, with {} nodes", next.serial, next.nodes.len()))?;
    Ok(Done::Clean)
}

impl Rm {
    pub(super) async fn run(self) -> Result<Done, Error> {
        Desk::open(&self.common)?.locked("state rm", async |desk, writer| self.forget(&desk, writer).await).await
    }

    async fn forget(self, desk: &Desk, writer: &Writer) -> Result<Done, Error> {
        let mut state = desk.checked(writer.load().await).await?.ok_or_else(|| desk.nothing())?;
        let users: Vec<&str> = dependents(&self.node, &state).map(String::as_str).collect();
        let Some(node) = state.nodes.get(&self.node) else { return Err(no_such_node(&self.node, &state)) };
        if !users.is_empty() && !self.force {
            return Err(Error::refused(
                format!("{} is used by {}; nothing was changed", self.node, users.join(", ")),
                "forget those first, or add --force",
            ));
        }
        let what = match &node.id {
            Some(id) => format!("{} ({} {id})", self.node, node.kind),
            None => format!("{} ({}, whose create call was never answered)", self.node, node.kind),
        };
        confirm(&Stopper::on_signals()?, self.yes, &format!("Forget {what}? AWS keeps what there is of it.")).await?;
        state.nodes.remove(&self.node);
        writer.put(&mut state).await?;
        render::line(format!("{what} is forgotten; the next apply looks for it by its name or tags"))?;
        Ok(Done::Clean)
    }
}

impl Restore {
    pub(super) async fn run(self) -> Result<Done, Error> {
        Desk::open(&self.common)?
            .locked("state restore", async |desk, writer| self.bring_back(&desk, writer).await)
            .await
    }

    async fn bring_back(self, desk: &Desk, writer: &Writer) -> Result<Done, Error> {
        let item = if self.older { Item::OlderBackup } else { Item::Backup };
        let (from, place) = (desk.store.place(item), desk.store.place(Item::Document));
        let Some(kept) = desk.store.read(item).await? else {
            let hint = format!("without any state `{}` finds everything again", desk.command_line("apply"));
            return Err(Error::refused(format!("there is no {from}"), hint));
        };
        let backup = State::parse(kept.text(&from)?, &from)?;
        desk.check_owner(&backup, &from)?;
        let (standing, now) = match writer.load().await {
            Ok(None) => (None, "which is not there".to_owned()),
            Ok(Some(standing)) => {
                let now = format!("of serial {}", standing.serial);
                (Some(standing), now)
            }
            Err(StateError::Damaged { error, .. }) => (None, format!("which is damaged: {error}")),
            Err(error) => return Err(error.into()),
        };
        if let Some(standing) = standing.as_ref().filter(|standing| standing.lineage != backup.lineage && !self.force) {
            return Err(Error::refused(
                other_lineage(&place, standing, &from, &backup),
                "add --force if it is the one",
            ));
        }
        confirm(
            &Stopper::on_signals()?,
            self.yes,
            &format!("Put {from} of serial {} in place of {place}, {now}? {}", backup.serial, unasked(&backup)),
        )
        .await?;
        replace(writer, standing.as_ref(), backup, &place).await
    }
}
