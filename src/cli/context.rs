//! What a command works on: the settings, the state, the account behind the credentials.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Common, Error};
use crate::aws::Aws;
use crate::config::{Config, StackKind};
use crate::engine::{Scope, observe};
use crate::plan::Observations;
use crate::resource::{Kinds, Pass};
use crate::resources;
use crate::stack::Stack;
use crate::stacks;
use crate::state::{Holder, LocalStore, Lock, State, Store};

/// Settings and state file, before AWS is touched.
pub(super) struct Desk {
    pub(super) config: Config,
    pub(super) store: LocalStore,
    lock_path: std::path::PathBuf,
}

impl Desk {
    pub(super) fn open(common: &Common) -> Result<Desk, Error> {
        let path = common.config.as_deref().unwrap_or(Path::new("tapctl.toml"));
        let mut config = Config::load(path, common.config.is_some(), &common.env)?;
        if let Some(name) = &common.stack {
            config.stack = stack_named(name)?;
        }
        let file = format!("{}-{}", config.stack.as_str(), config.env);
        let store = LocalStore::new(common.state_dir.join(format!("{file}.json")));
        Ok(Desk { config, store, lock_path: common.state_dir.join(format!("{file}.lock")) })
    }

    /// Makes this run the only one that writes, until the lock is dropped.
    pub(super) fn lock(&self, verb: &str) -> Result<Lock, Error> {
        let command = format!("{verb} --env {} --stack {}", self.config.env, self.config.stack.as_str());
        Ok(Lock::take(&self.lock_path, &Holder::this_process(&command))?)
    }

    /// The recorded state, if there is any.
    pub(super) async fn recorded(&self) -> Result<Option<State>, Error> {
        match self.store.load().await? {
            Some(text) => Ok(Some(State::parse(&text, &self.store.place())?)),
            None => Ok(None),
        }
    }

    /// The state of a stack of which nothing is known.
    fn fresh(&self, account: &str, region: &str) -> State {
        State::new(self.config.stack.as_str(), self.config.env.as_str(), account, region)
    }

    /// Connects to AWS and checks that account, state and settings belong together.
    pub(super) async fn connect(self) -> Result<Context, Error> {
        let recorded = self.recorded().await?;
        if let Some(state) = &recorded {
            // Whose account it is only AWS can tell; all else is settled before it is asked.
            state.belongs_to(&self.fresh(&state.account, &self.config.region), &self.store.place())?;
        }
        let aws = Aws::connect(&self.config.region).await?;
        if let Some(wanted) = self.config.account.as_ref().filter(|wanted| **wanted != aws.account) {
            return Err(Error::refused(
                format!("these credentials are for account {}, and tapctl.toml allows only {wanted}", aws.account),
                "use the credentials of that account",
            ));
        }
        let fresh = self.fresh(&aws.account, &aws.region);
        if let Some(state) = &recorded {
            state.belongs_to(&fresh, &self.store.place())?;
        }
        let state = recorded.unwrap_or(fresh);
        Ok(Context {
            config: self.config,
            store: self.store,
            state,
            aws,
            kinds: resources::registry(),
            pass: Pass::default(),
        })
    }
}

fn stack_named(name: &str) -> Result<StackKind, Error> {
    match name {
        "student-records" => Ok(StackKind::StudentRecords),
        other => Err(Error::refused(
            format!("--stack is {other}; allowed: student-records"),
            "run `tapctl --help` for all options",
        )),
    }
}

/// Everything a command needs that talks to AWS.
pub(super) struct Context {
    pub(super) config: Config,
    pub(super) store: LocalStore,
    pub(super) state: State,
    pub(super) aws: Aws,
    pub(super) kinds: Kinds<Aws>,
    pub(super) pass: Pass,
}

impl Context {
    /// The stack that the settings ask for, in this account and region.
    pub(super) async fn stack(&self) -> Result<Stack, Error> {
        let place = stacks::Place::discover(&self.aws, &self.config, &self.state).await?;
        let stack = stacks::build(&self.config, &place);
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

    pub(super) fn scope(&self, adopt: bool) -> Scope<'_, Aws> {
        Scope {
            cloud: &self.aws,
            kinds: &self.kinds,
            pass: &self.pass,
            parallelism: self.config.engine.parallelism,
            adopt,
            only: None,
        }
    }
}
