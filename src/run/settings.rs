//! What guards an environment stays remembered: neither a file that is not at hand nor an edited line takes it away.

use super::Refusal;
use crate::config::Config;
use crate::state::{Settings, State};

/// The `--config` that says: no file, and that is meant.
pub const NO_FILE: &str = "none";

/// What is remembered of these settings.
pub fn of(config: &Config) -> Settings {
    Settings { file: config.origin.file.clone(), section: config.origin.section, protect: config.protect }
}

/// What is remembered while an apply is under way or was of a part: all that guarded the environment before, and all that
/// guards it now. Only an apply that is complete takes a guard away.
pub fn under_way(recorded: Option<&Settings>, now: &Settings) -> Settings {
    let Some(before) = recorded else { return now.clone() };
    Settings {
        file: now.file.clone().or_else(|| before.file.clone()),
        section: now.section || before.section,
        protect: now.protect || before.protect,
    }
}

/// Refuses to go by the defaults where the environment's settings were at hand when it was applied: they would undo what a
/// person has set. `meant` says that a person named [`NO_FILE`].
///
/// # Errors
/// Names what is missing, and the ways out.
pub fn check_present(state: &State, config: &Config, meant: bool) -> Result<(), Refusal> {
    let Some(recorded) = state.settings.as_ref().filter(|_| !meant && !state.nodes.is_empty()) else { return Ok(()) };
    let (env, name) = (&state.env, recorded.file.as_deref().unwrap_or_default());
    match (&config.origin.file, &recorded.file) {
        (None, Some(_)) => Err(Refusal::new(
            format!("{} {env} was last applied with the settings of {name}, which is not here", state.stack),
            format!("name the file with --config FILE; --config {NO_FILE} says that the defaults are meant"),
        )),
        (Some(file), _) if recorded.section && !config.origin.section => Err(Refusal::new(
            format!("{} {env} was last applied with a section [env.{env}] of {name}, and {file} has none", state.stack),
            format!("name the file that has it with --config FILE; an empty [env.{env}] says that the base is meant"),
        )),
        _ => Ok(()),
    }
}

/// Refuses to go by the defaults over what AWS guards against deletion, where no record tells whose settings guard it: they
/// would take the guard away. `meant` says that a person named [`NO_FILE`].
///
/// # Errors
/// Names what is guarded, and the ways out.
pub fn check_guarded(state: &State, config: &Config, meant: bool, guarded: &[String]) -> Result<(), Refusal> {
    let recorded = state.settings.as_ref().is_some_and(|settings| settings.protect);
    if guarded.is_empty() || meant || recorded || config.protect || config.origin.file.is_some() {
        return Ok(());
    }
    let (guarded, name) = (guarded.join(", "), format!("{} {}", state.stack, state.env));
    Err(Refusal::new(
        format!("AWS guards {guarded} against deletion, and the defaults do not; the settings of {name} are not here"),
        format!("name their file with --config FILE; --config {NO_FILE} says that the defaults are meant"),
    ))
}

/// Refuses to destroy what the record or the settings protect, unless its full name was given; and anything where another
/// name was given.
///
/// # Errors
/// Names who protects it, and the name that must be given; or both names.
pub fn check_confirmed(state: Option<&State>, config: &Config, confirm: Option<&str>) -> Result<(), Refusal> {
    let name = format!("{}-{}", config.stack.as_str(), config.env);
    let recorded = state.and_then(|state| state.settings.as_ref()).is_some_and(|settings| settings.protect);
    if let Some(other) = confirm.filter(|confirm| *confirm != name) {
        return Err(Refusal::new(
            format!("--confirm names {other}, and this is {name}; nothing was changed"),
            format!("if this is really to go, --confirm {name}; another environment is named with --env and --stack"),
        ));
    }
    if !(config.protect || recorded) || confirm.is_some() {
        return Ok(());
    }
    let since = match config.protect {
        true => "",
        false => " by its last apply, whatever the settings say since",
    };
    Err(Refusal::new(
        format!("the environment {} is protected{since}; nothing was changed", config.env),
        format!("if it is really to go, add --confirm {name}"),
    ))
}

/// Refuses to begin a protected environment in whichever account the credentials happen to be of, which is `account`.
///
/// # Errors
/// Names the setting that decides.
pub fn check_account(state: &State, config: &Config, account: &str) -> Result<(), Refusal> {
    if !config.protect || config.account.is_some() || state.serial > 0 {
        return Ok(());
    }
    Err(Refusal::new(
        format!("the environment {} is protected, and nothing says which account it belongs to", config.env),
        format!("these credentials are of {account}; if that is the one, set account = \"{account}\" in tapctl.toml"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{NodeState, Progress};

    fn config(file: Option<&str>, env: &str) -> Config {
        match file {
            Some(text) => Config::parse("tapctl.toml", text, env, None).unwrap(),
            None => Config::without_file(env, None).unwrap(),
        }
    }

    fn applied(settings: Option<Settings>) -> State {
        let node = NodeState {
            kind: "kms.key".into(),
            spec: serde_json::Value::Null,
            edges: [].into(),
            id: Some("i".into()),
            identity: None,
            outputs: serde_json::Value::Null,
            progress: Progress::Ready,
            attempt: None,
            created: None,
        };
        let state = State::new("student-records", "live", "123456789012", "us-east-1");
        State { serial: 1, settings, nodes: [("key".to_owned(), node)].into(), ..state }
    }

    #[test]
    fn the_defaults_take_no_guard_away_unasked() {
        let (defaults, guarded) = (config(None, "live"), ["db-cluster".to_owned()]);
        let state = applied(None);
        insta::assert_snapshot!(check_guarded(&state, &defaults, false, &guarded).unwrap_err(), @r"
        AWS guards db-cluster against deletion, and the defaults do not; the settings of student-records live are not here
        hint: name their file with --config FILE; --config none says that the defaults are meant
        ");
        let part = applied(Some(of(&defaults)));
        assert!(check_guarded(&part, &defaults, false, &guarded).is_err());
        check_guarded(&part, &defaults, true, &guarded).unwrap();
        check_guarded(&part, &defaults, false, &[]).unwrap();
        check_guarded(&part, &config(Some("[env.live]\nprotect = false"), "live"), false, &guarded).unwrap();
    }

    #[test]
    fn settings_that_were_there_and_are_gone_are_refused_with_the_ways_out() {
        let live = config(Some("[env.live]\nprotect = true"), "live");
        let state = applied(Some(of(&live)));
        check_present(&state, &live, false).unwrap();
        insta::assert_snapshot!(check_present(&state, &config(None, "live"), false).unwrap_err(), @r"
        student-records live was last applied with the settings of tapctl.toml, which is not here
        hint: name the file with --config FILE; --config none says that the defaults are meant
        ");
        insta::assert_snapshot!(check_present(&state, &config(Some("protect = true"), "live"), false).unwrap_err(), @r"
        student-records live was last applied with a section [env.live] of tapctl.toml, and tapctl.toml has none
        hint: name the file that has it with --config FILE; an empty [env.live] says that the base is meant
        ");
        check_present(&state, &config(Some("[env.live]"), "live"), false).unwrap();
        check_present(&state, &config(None, "live"), true).unwrap();
        check_present(&applied(None), &config(None, "live"), false).unwrap();
        check_present(&State { nodes: [].into(), ..state }, &config(None, "live"), false).unwrap();
    }

    #[test]
    fn either_the_record_or_the_settings_protect() {
        let (protected, open) = (config(Some("protect = true"), "live"), config(Some(""), "live"));
        for (recorded, now, refused) in [(&open, &open, false), (&open, &protected, true), (&protected, &open, true)] {
            let state = applied(Some(of(recorded)));
            assert_eq!(check_confirmed(Some(&state), now, None).is_err(), refused);
            assert!(check_confirmed(Some(&state), now, Some("live")).is_err(), "not its full name");
            check_confirmed(Some(&state), now, Some("student-records-live")).unwrap();
        }
        assert!(check_confirmed(None, &protected, None).is_err());
        check_confirmed(None, &open, None).unwrap();
        let state = applied(Some(of(&protected)));
        insta::assert_snapshot!(check_confirmed(Some(&state), &open, None).unwrap_err(), @r"
        the environment live is protected by its last apply, whatever the settings say since; nothing was changed
        hint: if it is really to go, add --confirm student-records-live
        ");
        insta::assert_snapshot!(check_confirmed(Some(&state), &open, Some("student-records-test")).unwrap_err(), @r"
        --confirm names student-records-test, and this is student-records-live; nothing was changed
        hint: if this is really to go, --confirm student-records-live; another environment is named with --env and --stack
        ");
    }

    #[test]
    fn only_a_complete_apply_takes_a_guard_away() {
        let guarded = Settings { file: Some("a.toml".into()), section: true, protect: true };
        let open = Settings { file: None, section: false, protect: false };
        assert_eq!(under_way(Some(&guarded), &open), guarded);
        assert_eq!(under_way(Some(&open), &guarded), guarded);
        assert_eq!(under_way(None, &open), open);
    }

    #[test]
    fn a_protected_environment_is_begun_only_in_an_account_that_is_named() {
        let fresh = State::new("student-records", "live", "123456789012", "us-east-1");
        let (protected, open) = (config(Some("protect = true"), "live"), config(Some(""), "live"));
        insta::assert_snapshot!(check_account(&fresh, &protected, "123456789012").unwrap_err(), @r#"
        the environment live is protected, and nothing says which account it belongs to
        hint: these credentials are of 123456789012; if that is the one, set account = "123456789012" in tapctl.toml
        "#);
        check_account(&fresh, &open, "123456789012").unwrap();
        check_account(&applied(None), &protected, "123456789012").unwrap();
        let named = config(Some("protect = true\naccount = \"123456789012\""), "live");
        check_account(&fresh, &named, "123456789012").unwrap();
    }
}
