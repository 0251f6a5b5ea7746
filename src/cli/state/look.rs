//! `tapctl state list`, `show`, `pull`

use serde_json::{Value, json};

use crate::cli::context::Desk;
use crate::cli::{Common, Done, Error};
use crate::names;
use crate::render;
use crate::state::{Item, LockRecord, State, StateError, Store, dependents};

/// List the recorded nodes: kind, phase, id.
#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    pub(super) common: Common,
    /// Print as JSON.
    #[arg(long)]
    json: bool,
}

/// Show where the state comes from, its lock and its backups; or all that is recorded about one node.
#[derive(Debug, clap::Args)]
pub(super) struct Show {
    #[command(flatten)]
    pub(super) common: Common,
    /// Print as JSON.
    #[arg(long)]
    json: bool,
    /// Show this node.
    node: Option<String>,
}

/// Print the state document as it is kept.
#[derive(Debug, clap::Args)]
pub(super) struct Pull {
    #[command(flatten)]
    pub(super) common: Common,
}

impl Desk {
    /// The recorded state, where there must be one.
    async fn known(&self) -> Result<State, Error> {
        self.recorded().await?.ok_or_else(|| self.nothing())
    }

    pub(super) fn nothing(&self) -> Error {
        let text = format!("nothing is recorded for {} {}", self.config.stack.as_str(), self.config.env);
        Error::refused(text, "run apply first, or name the directory of the state with --state-dir")
    }
}

pub(super) fn no_such_node(node: &str, state: &State) -> Error {
    let meant = names::suggestion(node, state.nodes.keys().map(String::as_str));
    Error::refused(format!("there is no node {node} in the state{meant}"), "`tapctl state list` lists them")
}

impl List {
    pub(super) async fn run(self) -> Result<Done, Error> {
        let desk = Desk::open(&self.common)?;
        let state = desk.known().await?;
        if state.nodes.is_empty() {
            return Err(desk.nothing());
        }
        render::recorded(&state, self.json)?;
        Ok(Done::Clean)
    }
}

impl Show {
    pub(super) async fn run(self) -> Result<Done, Error> {
        let desk = Desk::open(&self.common)?;
        let state = desk.known().await?;
        let shown = match &self.node {
            Some(node) => about_node(&state, node)?,
            None => about_state(&desk, &state).await?,
        };
        match self.json {
            true => render::json(&shown)?,
            false => render::fields(&shown)?,
        }
        Ok(Done::Clean)
    }
}

fn about_node(state: &State, name: &str) -> Result<Value, Error> {
    let node = state.nodes.get(name).ok_or_else(|| no_such_node(name, state))?;
    let mut shown = json!({ "node": name, "used_by": dependents(name, state).collect::<Vec<_>>() });
    let fields = serde_json::to_value(node).map_err(std::io::Error::from)?;
    if let (Some(shown), Value::Object(fields)) = (shown.as_object_mut(), fields) {
        shown.extend(fields);
    }
    Ok(shown)
}

async fn about_state(desk: &Desk, state: &State) -> Result<Value, Error> {
    let (store, lock) = (&desk.store, desk.store.place(Item::Lock));
    let record = LockRecord::parse(store.read(Item::Lock).await?.as_ref(), &lock);
    let record = record.map_err(|error| desk.name_unlock(error))?;
    Ok(json!({
        "stack": state.stack,
        "env": state.env,
        "account": state.account,
        "region": state.region,
        "version": state.version,
        "lineage": state.lineage,
        "serial": state.serial,
        "fence": state.fence,
        "nodes": state.nodes.len(),
        "document": store.place(Item::Document),
        "lock": { "place": lock, "fence": record.fence, "holder": record.holder },
        "backup": about_backup(desk, Item::Backup).await?,
        "older_backup": about_backup(desk, Item::OlderBackup).await?,
    }))
}

async fn about_backup(desk: &Desk, item: Item) -> Result<Value, Error> {
    let place = desk.store.place(item);
    let Some(kept) = desk.store.read(item).await? else { return Ok(Value::Null) };
    Ok(match kept.text(&place).and_then(|text| State::parse(text, &place)) {
        Ok(state) => json!({ "place": place, "serial": state.serial, "lineage": state.lineage }),
        Err(StateError::Damaged { error, .. }) => json!({ "place": place, "damaged": error }),
        Err(StateError::Newer { found, .. }) => json!({ "place": place, "version": found }),
        Err(error) => return Err(error.into()),
    })
}

impl Pull {
    pub(super) async fn run(self) -> Result<Done, Error> {
        let desk = Desk::open(&self.common)?;
        desk.known().await?;
        let kept = desk.store.read(Item::Document).await?.ok_or_else(|| desk.nothing())?;
        render::line(kept.text(&desk.store.place(Item::Document))?.trim_end())?;
        Ok(Done::Clean)
    }
}
