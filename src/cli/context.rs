//! What a command works on: the settings, the state, the account behind the credentials.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::stop::Stopper;
use super::{Common, Done, Error, place};
use crate::aws::{Aws, Profiles};
use crate::config::Config;
use crate::engine::{Scope, knot, observe};
use crate::plan::{Action, Observations, Plan, Step, in_turn, plan};
use crate::render;
use crate::resource::{IgnoredTags, Kinds, Pass};
use crate::resources;
use crate::run::newcomer::Newcomer;
use crate::run::region::{self, Claim};
use crate::run::{Refusal, reach, settings as guard};
use crate::stack::Stack;
use crate::stacks;
use crate::state::{Grip, Holder, Item, LocalStore, State, StateError, Store, Writer};

/// Settings and state file, before AWS is touched.
pub(super) struct Desk {
    pub(super) config: Config,
    pub(super) store: Arc<LocalStore>,
    /// Who names a region, but for the profile.
    said: Vec<Claim>,
    common: Common,
}

impl Desk {
    pub(super) fn open(common: &Common) -> Result<Desk, Error> {
        let config = match common.config.as_deref() {
            Some(_) if common.without_file() => Config::without_file(&common.env, common.stack)?,
            Some(path) if !path.exists() => {
                let (path, none) = (path.display(), guard::NO_FILE);
                let hint = format!(
                    "name one that is there; `tapctl init {path}` writes one, and --config {none} leaves all to the defaults"
                );
                return Err(Error::refused(format!("there is no {path}"), hint));
            }
            Some(path) => Config::load(path, true, &common.env, common.stack)?,
            None => Config::load(Path::new("tapctl.toml"), false, &common.env, common.stack)?,
        };
        let file = format!("{}-{}.json", config.stack.as_str(), config.env);
        let store = Arc::new(LocalStore::new(common.state_dir.join(file)));
        let said = place::said(common, &config);
        let region = region::resolve(&said, None, common.new_region.as_deref())?;
        let mut config = config;
        if !said.is_empty() {
            config.place_in(&region.region, &region.by)?;
        }
        Ok(Desk { config, store, said, common: common.clone() })
    }

    /// Does the work as the only run that writes.
    pub(super) async fn locked(
        self,
        verb: &str,
        work: impl AsyncFnOnce(Desk, &Writer) -> Result<Done, Error>,
    ) -> Result<Done, Error> {
        let writer = self.take_lock(verb, Duration::ZERO).await?;
        self.holding(writer, work).await
    }

    /// The same, where another run may take `wait` to end, unless a person asks to stop before.
    pub(super) async fn locked_within(
        self,
        wait: Duration,
        stopper: &Stopper,
        verb: &str,
        work: impl AsyncFnOnce(Desk, &Writer) -> Result<Done, Error>,
    ) -> Result<Done, Error> {
        let writer = stopper.unless_asked(self.take_lock(verb, wait)).await?;
        self.holding(writer, work).await
    }

    async fn take_lock(&self, verb: &str, wait: Duration) -> Result<Writer, Error> {
        let command = format!("{verb} --env {} --stack {}", self.config.env, self.config.stack.as_str());
        let tell = |holder: &Holder| render::note(&format!("waiting for {holder} to end"));
        let taken = Writer::take_within(self.store.clone(), &command, wait, tell).await;
        Ok(taken.map_err(|error| self.name_unlock(error))?)
    }

    async fn holding(
        self,
        writer: Writer,
        work: impl AsyncFnOnce(Desk, &Writer) -> Result<Done, Error>,
    ) -> Result<Done, Error> {
        if let Some((holder, grip)) = writer.former() {
            let why = match grip {
                Grip::Ownerless => "whose process is gone".to_owned(),
                _ => format!("whose lease ended at {:.0}", holder.expires),
            };
            render::note(&format!("took over the lock of {holder}, {why}"));
        }
        let done = work(self, &writer).await;
        match (writer.release().await, done) {
            // Why it was stopped.
            (Err(fenced @ (StateError::Fenced { .. } | StateError::Lapsed { .. })), Err(Error::Stopped(_))) => {
                Err(fenced.into())
            }
            (Err(error), done) => {
                render::note(&format!("the lock could not be freed: {error}"));
                done
            }
            (Ok(()), done) => done,
        }
    }

    /// The error of a lock that cannot be read, with the whole command that frees it.
    pub(super) fn name_unlock(&self, error: StateError) -> StateError {
        match error {
            StateError::Damaged { place, error, .. } if place == self.store.place(Item::Lock) => {
                let unlock = self.command_line("state unlock");
                let hint = format!("make sure that no other run is under way, then free it with `{unlock}`");
                StateError::Damaged { place, error, hint }
            }
            other => other,
        }
    }

    /// Where the state is, for people.
    pub(super) fn place(&self) -> String {
        self.store.place(Item::Document)
    }

    /// Whether settings are in force that say that the environment is not protected. What no file names is not said to
    /// be anything, apart from `dev`, which stands for itself.
    pub(super) fn is_said_to_be_unprotected(&self) -> bool {
        !self.config.protect && (self.config.env.as_str() == "dev" || self.config.origin.file.is_some())
    }

    /// The recorded state, if there is any.
    pub(super) async fn recorded(&self) -> Result<Option<State>, Error> {
        let place = self.store.place(Item::Document);
        let read = match self.store.read(Item::Document).await? {
            Some(kept) => kept.text(&place).and_then(|text| State::parse(text, &place)).map(Some),
            None => Ok(None),
        };
        self.checked(read).await
    }

    /// A state that was read, if it is this stack's; whose account it is only AWS can tell. With none, or none that can be
    /// read, the backup is pointed out.
    pub(super) async fn checked(&self, read: Result<Option<State>, StateError>) -> Result<Option<State>, Error> {
        let place = self.store.place(Item::Document);
        match read {
            Ok(Some(state)) => {
                self.check_owner(&state, &place)?;
                Ok(Some(state))
            }
            Ok(None) => {
                if let Some(backup) = self.backup_hint().await {
                    render::note(&format!("{place} is not there; {backup}"));
                }
                Ok(None)
            }
            Err(StateError::Damaged { place, error, hint }) => {
                let backup = self.backup_hint().await.map(|backup| format!("{backup}; or "));
                let hint = format!("{}{hint}", backup.unwrap_or_default());
                Err(StateError::Damaged { place, error, hint }.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Refuses a state of another stack, environment or region, or of an account that the settings do not allow.
    pub(super) fn check_owner(&self, state: &State, place: &str) -> Result<(), Error> {
        let account = self.config.account.as_ref().unwrap_or(&state.account);
        state.belongs_to(&self.fresh(account, &state.region), place)?;
        self.region(&self.said, Some(&Claim::new(&state.region, place))).map(drop)
    }

    /// The region, from those who name one and what is recorded.
    fn region(&self, said: &[Claim], recorded: Option<&Claim>) -> Result<Claim, Error> {
        Ok(region::resolve(said, recorded, self.common.new_region.as_deref())?)
    }

    /// How to bring back the newest backup that can be read.
    async fn backup_hint(&self) -> Option<String> {
        for (item, flag) in [(Item::Backup, ""), (Item::OlderBackup, " --older")] {
            let place = self.store.place(item);
            let kept = self.store.read(item).await.ok().flatten();
            let state = kept.and_then(|kept| State::parse(kept.text(&place).ok()?, &place).ok());
            if let Some(state) = state {
                let command = self.command_line(&format!("state restore{flag}"));
                return Some(format!("`{command}` brings back {place} (serial {})", state.serial));
            }
        }
        None
    }

    /// A command line for the same stack and environment.
    pub(super) fn command_line(&self, verb: &str) -> String {
        let mut line = format!("tapctl {verb} --env {}", self.config.env);
        if let Some(stack) = &self.common.stack {
            line.push_str(&format!(" --stack {}", stack.as_str()));
        }
        if let Some(config) = &self.common.config {
            line.push_str(&format!(" --config {}", config.display()));
        }
        for (flag, given) in [("--region", &self.common.region), ("--profile", &self.common.profile)] {
            if let Some(given) = given {
                line.push_str(&format!(" {flag} {given}"));
            }
        }
        if self.common.state_dir != Path::new("state") {
            line.push_str(&format!(" --state-dir {}", self.common.state_dir.display()));
        }
        line
    }

    /// The state of a stack of which nothing is known.
    fn fresh(&self, account: &str, region: &str) -> State {
        State::new(self.config.stack.as_str(), self.config.env.as_str(), account, region)
    }

    /// This environment, where no state and no section of the settings knows it.
    fn newcomer(&self) -> Option<Newcomer> {
        let env = self.config.env.as_str();
        let said = &self.config.said;
        let (before, behind) = (format!("{}-", self.config.stack.as_str()), ".json");
        let files = std::fs::read_dir(&self.common.state_dir).into_iter().flatten().flatten();
        let recorded = files.filter_map(|file| {
            let name = file.file_name().into_string().ok()?;
            Some(name.strip_prefix(&before)?.strip_suffix(behind)?.to_owned())
        });
        let others: BTreeSet<String> = recorded.chain(said.sections().iter().cloned()).collect();
        (!others.contains(env)).then(|| Newcomer { env: env.to_owned(), file: said.file().to_owned(), others })
    }

    /// Connects to AWS to read, and checks that account, state and settings belong together.
    pub(super) async fn connect(self) -> Result<Context, Error> {
        let recorded = self.recorded().await?;
        if let Some(Err(refusal)) = recorded.as_ref().map(|state| self.check_settings(state)) {
            render::note(&refusal.to_string());
        }
        self.connect_from(recorded).await
    }

    fn check_settings(&self, state: &State) -> Result<(), Refusal> {
        guard::check_present(state, &self.config, self.common.without_file())
    }

    /// The same to write, as the one who holds the lock. `guard` has its say before AWS is asked anything.
    pub(super) async fn connect_as(
        self,
        writer: &Writer,
        guard: impl FnOnce(Option<&State>, &Config) -> Result<(), Refusal>,
    ) -> Result<Context, Error> {
        let recorded = self.checked(writer.load().await).await?;
        recorded.iter().try_for_each(|state| self.check_settings(state))?;
        guard(recorded.as_ref(), &self.config)?;
        let mut context = self.connect_from(recorded).await?;
        let lease = writer.lease();
        context.aws.change_only_while(move || lease.holds());
        writer.seal(&mut context.state).await?;
        Ok(context)
    }

    async fn connect_from(mut self, recorded: Option<State>) -> Result<Context, Error> {
        let profiles = Profiles::load(self.common.profile.as_deref()).await?;
        let of_profile = profiles.region().map(|(region, by)| Claim::new(region, by));
        let said: Vec<Claim> = self.said.iter().cloned().chain(of_profile).collect();
        let claim = recorded.as_ref().map(|state| Claim::new(&state.region, self.store.place(Item::Document)));
        let region = self.region(&said, claim.as_ref())?;
        region::check_confirmed(&region, self.common.new_region.as_deref())?;
        self.config.place_in(&region.region, &region.by)?;
        let aws = place::connect(&region, &self.common, &profiles).await?;
        render::place(&self.config, &aws.account, &aws.region, aws.endpoints.words().as_deref());
        aws.remarks.iter().for_each(|remark| render::note(remark));
        if let Some(seconds) = aws.seconds_ahead() {
            render::note(&wrong_clock(seconds));
        }
        if let Some(wanted) = self.config.account.as_ref().filter(|wanted| **wanted != aws.account) {
            return Err(Error::refused(
                format!("these credentials are for account {}, and tapctl.toml allows only {wanted}", aws.account),
                "use the credentials of that account",
            ));
        }
        let fresh = self.fresh(&aws.account, &aws.region);
        if let Some(state) = &recorded {
            state.belongs_to(&fresh, &self.store.place(Item::Document))?;
        }
        let newcomer = recorded.is_none().then(|| self.newcomer()).flatten();
        let state = recorded.unwrap_or(fresh);
        let kinds = resources::registry_ignoring(IgnoredTags::new(self.config.ignore_tags.clone()));
        Ok(Context {
            config: self.config,
            state,
            newcomer,
            aws,
            kinds,
            pass: Pass::default(),
            reading: render::Reading::default(),
        })
    }
}

impl Common {
    /// Whether a person has said that the defaults are meant.
    pub(super) fn without_file(&self) -> bool {
        self.config.as_deref() == Some(Path::new(guard::NO_FILE))
    }
}

fn wrong_clock(seconds_ahead: i64) -> String {
    let side = if seconds_ahead > 0 { "behind" } else { "ahead of" };
    let minutes = (seconds_ahead.abs() + 30) / 60;
    format!("this machine's clock is {minutes} minutes {side} AWS's; requests are signed by AWS's; set the clock")
}

/// What there is to do.
pub(super) struct Planned {
    /// All of it, as far as can be told.
    pub(super) whole: Plan,
    /// What of it has its turn now.
    pub(super) now: Plan,
    /// The nodes that is about.
    pub(super) chosen: BTreeSet<String>,
}

/// Everything a command needs that talks to AWS.
pub(super) struct Context {
    pub(super) config: Config,
    pub(super) state: State,
    newcomer: Option<Newcomer>,
    pub(super) aws: Aws,
    pub(super) kinds: Kinds<Aws>,
    pub(super) pass: Pass,
    reading: render::Reading,
}

impl Context {
    /// The stack that the settings ask for, in this account and region.
    pub(super) async fn stack(&self) -> Result<Stack, Error> {
        let place = stacks::Place::discover(&self.aws, &self.config, &self.state).await?;
        let mut stack = stacks::build(&self.config, &place);
        stacks::copies::keep(&mut stack, &self.state);
        self.config.remarks().iter().chain(&place.remarks()).for_each(|remark| render::note(remark));
        let wrong: Vec<String> = stack
            .nodes
            .iter()
            .filter_map(|(name, entry)| {
                let checked = self.kinds.get(entry.kind).map_err(|fault| fault.message);
                checked
                    .and_then(|kind| kind.check(&entry.spec))
                    .err()
                    .map(|why| format!("{name} ({}): {why}", entry.kind))
            })
            .collect();
        match wrong.is_empty() {
            true => Ok(stack),
            false => Err(Error::refused(wrong.join("\n"), "change tapctl.toml; nothing was touched")),
        }
    }

    /// This environment, where nothing of it is known and AWS has nothing of it either. What is shared among environments
    /// says nothing.
    pub(super) fn newcomer(&self, plan: &Plan) -> Option<&Newcomer> {
        let shared = |kind: &str| self.kinds.get(kind).is_ok_and(|kind| kind.facts().shared);
        let is_new = |step: &Step| step.action == Action::Create || shared(&step.kind);
        self.newcomer.as_ref().filter(|_| plan.steps.iter().all(is_new))
    }

    /// What AWS says of every node of the stack and of the state.
    pub(super) async fn observe(&self, stack: Option<&Stack>, adopt: bool) -> Result<Observations, Error> {
        observe(&self.scope(adopt), stack, &self.state).await.map_err(Error::Nodes)
    }

    /// The same of some nodes only. What is wrong with others is no reason not to go on with these.
    pub(super) async fn observe_only(
        &self,
        chosen: &BTreeSet<String>,
        stack: &Stack,
        adopt: bool,
    ) -> Result<Observations, Error> {
        let scope = Scope { only: Some(chosen), ..self.scope(adopt) };
        observe(&scope, Some(stack), &self.state).await.map_err(Error::Nodes)
    }

    /// What there is to do to these nodes, and what of that has its turn now.
    pub(super) fn planned(
        &self,
        stack: &Stack,
        chosen: &BTreeSet<String>,
        seen: &Observations,
    ) -> Result<Planned, Error> {
        let facts = |kind: &str| self.kinds.get(kind).map(|kind| kind.facts());
        let chosen_now = in_turn(stack, &self.state, chosen);
        let of = |stack: &Stack| plan(stack, &self.state, seen, &facts);
        let first = of(stack)?;
        let now = first.clone().only(&chosen_now);
        let whole = match stack.turn.as_ref().and_then(|turn| turn.end.as_ref()) {
            None => first.only(chosen),
            Some(end) => now.and(of(end)?.only(chosen)),
        };
        Ok(Planned { whole, now, chosen: chosen_now })
    }

    /// Refuses what could not be carried out to its end.
    pub(super) async fn refuse_out_of_reach(&self, planned: &Planned, stack: &Stack) -> Result<(), Error> {
        let facts = |kind: &str| self.kinds.get(kind).map(|kind| kind.facts());
        let told = |step: &Step, field: Option<&str>| stacks::behind::told(&self.config, step, field);
        let env = &self.config.env;
        let elsewhere = format!(
            "begin another environment with it, `tapctl apply --env NAME`; or `tapctl destroy --env {env}` first"
        );
        let plan = &planned.whole;
        let stand = stacks::standing::in_the_way(&self.aws, plan, &self.state).await;
        let refusal = reach::refuse((plan, stack), &self.state, &facts, &told, &elsewhere)?;
        if let Some(mut refusal) = refusal.or_else(|| reach::occupied(plan, &stand, &told)) {
            stand.iter().for_each(|one| refusal.text.push_str(&format!("\n{one}")));
            return Err(refusal.into());
        }
        match knot(stack, &planned.now, &self.state, &planned.chosen) {
            Some(text) => Err(Error::refused(text, "make these changes one after the other; nothing was touched")),
            None => Ok(()),
        }
    }

    pub(super) fn scope(&self, adopt: bool) -> Scope<'_, Aws> {
        Scope {
            cloud: &self.aws,
            kinds: &self.kinds,
            pass: &self.pass,
            parallelism: self.config.engine.parallelism,
            adopt,
            only: None,
            reporter: &self.reading,
        }
    }
}
