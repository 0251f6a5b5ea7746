//! The command line: one file a command, each with its arguments, whose doc comments are the help, and its `run`.

mod apply;
mod backups;
mod completions;
mod context;
mod destroy;
mod drift;
mod init;
mod outputs;
mod place;
mod plan;
mod restart;
mod restore;
mod rotate;
mod run;
mod secrecy;
mod snapshot;
mod state;
mod status;
mod stop;
mod survey;
mod usage;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use stop::{Stopper, Why};

use crate::config::{ConfigError, StackKind};
use crate::engine::NodeFailure;
use crate::error::{Class, Fault};
use crate::render;
use crate::run::Refusal;
use crate::state::StateError;

/// Provisions whole AWS systems by calling the AWS SDKs directly: reruns converge, a kill loses nothing.
///
/// Exit codes: 0 done, or nothing to do; 1 error; 2 changes (plan), drift (drift), something not ready (status), no young way
/// back (backups), or done and something needs a restart (apply); 3 the state is locked by another run, or was taken over by
/// one; 4 AWS does not take the credentials, or no longer: renew them and run again; 5 out of time, or AWS was still busy:
/// run again, it goes on; 64 wrong usage; 130 stopped by Ctrl-C or another signal.
#[derive(Debug, Parser)]
#[command(name = "tapctl", version, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Apply(apply::Args),
    Plan(plan::Args),
    Status(status::Args),
    Drift(drift::Args),
    Destroy(destroy::Args),
    Rotate(rotate::Args),
    Restart(restart::Args),
    Backups(backups::Args),
    Snapshot(snapshot::Args),
    Restore(restore::Args),
    Outputs(outputs::Args),
    State(state::Args),
    Init(init::Args),
    Completions(completions::Args),
}

/// What every command takes.
#[derive(Debug, Clone, clap::Args)]
struct Common {
    /// The environment: dev, qa, prod, pr123…
    #[arg(long, env = "ENVIRONMENT_SUFFIX", default_value = "dev", value_name = "NAME")]
    env: String,
    /// The stack; by default the one tapctl.toml names, else student-records.
    #[arg(long, value_name = "NAME")]
    stack: Option<StackKind>,
    /// The AWS region. tapctl.toml, AWS_REGION, AWS_DEFAULT_REGION and the profile may name it too, and must name the same.
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// That this region, which --region or another place names and this tapctl does not know, is really meant.
    #[arg(long, env = "TAPCTL_NEW_REGION", value_name = "REGION")]
    new_region: Option<String>,
    /// The profile of ~/.aws/config whose credentials are used, before those of the environment.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// The configuration file; by default ./tapctl.toml, which may be missing. `none`: all is left to the defaults, where
    /// the last apply had a file, too.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the state files are.
    #[arg(long, default_value = "state", env = "TAPCTL_STATE_DIR", value_name = "DIR")]
    state_dir: PathBuf,
    /// Say more: -v each call to AWS, -vv also the SDK's own words. On stderr.
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
}

/// What a command ends with when it does not end well.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{}", render::problems(.0))]
    Config(#[from] ConfigError),
    #[error("{0}")]
    State(#[from] StateError),
    #[error("{0}")]
    Call(#[from] Fault),
    /// Nodes that could not be read or made.
    #[error("{}", render::failures(.0))]
    Nodes(Vec<NodeFailure>),
    /// The person must say or do something first.
    #[error("{0}")]
    Refused(#[from] Refusal),
    #[error("writing the answer: {0}")]
    Output(#[from] std::io::Error),
    /// A person was asked, and did not say yes.
    #[error("cancelled; nothing was changed (only `yes` goes ahead)")]
    Cancelled,
    /// The run was to end before its work was done.
    #[error("{0}")]
    Stopped(Why),
}

/// Wrong usage, as sysexits.h calls it (EX_USAGE): no script may take it for an answer of `plan`, `drift` or `status`.
const USAGE: u8 = 64;

impl Error {
    fn refused(text: impl Into<String>, hint: impl Into<String>) -> Self {
        Refusal::new(text, hint).into()
    }

    fn exit_code(&self) -> u8 {
        match self {
            Error::State(StateError::Locked { .. } | StateError::Fenced { .. } | StateError::Lapsed { .. }) => 3,
            Error::Config(error) if error.is_of_no_file() => USAGE,
            Error::Stopped(why) => why.exit_code(),
            Error::Call(fault) => exit_code(&[fault.class]),
            Error::Nodes(failures) => exit_code(&failures.iter().map(|one| one.fault.class).collect::<Vec<_>>()),
            _ => 1,
        }
    }

    fn hint(&self) -> Option<&str> {
        match self {
            Error::Call(fault) => fault.hint(),
            Error::State(StateError::Io { .. }) => {
                Some("name a directory that can be written to, and has room, with --state-dir or TAPCTL_STATE_DIR")
            }
            _ => None,
        }
    }
}

/// Of failures: that the credentials are not taken stands for all others, and only where AWS was busy with every one of
/// them is running again all there is to do.
fn exit_code(failures: &[Class]) -> u8 {
    let busy = |class: &Class| matches!(class, Class::Busy | Class::NotYet);
    match failures {
        failures if failures.contains(&Class::Credentials) => 4,
        [_, ..] if failures.iter().all(busy) => 5,
        _ => 1,
    }
}

/// How a command that could do its work ends.
enum Done {
    /// Nothing to do, or all done.
    Clean,
    /// Changes or drift were found, something is not ready, or all is done and something needs a restart.
    Found(u8),
}

/// Parses the command line and runs it.
pub fn main() -> ExitCode {
    secrecy::forbid_core_dumps();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => {
            let words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
            let told = usage::with_suggestion(told, words);
            let code = if told.use_stderr() { USAGE } else { 0 };
            // Nobody may be left to read it.
            let _ = told.print();
            return ExitCode::from(code);
        }
    };
    start_tracing(cli.command.verbosity());
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            render::error(&format!("the runtime does not start: {error}"), None);
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(cli.command.run());
    // A question without an answer, or a name that is being looked up, must not hold up the end.
    runtime.shutdown_background();
    match ended {
        Ok(Done::Clean) => ExitCode::SUCCESS,
        Ok(Done::Found(code)) => ExitCode::from(code),
        Err(error) => {
            match error {
                Error::Cancelled => render::aside(error.to_string()),
                _ => render::error(&error.to_string(), error.hint()),
            }
            ExitCode::from(error.exit_code())
        }
    }
}

impl Command {
    async fn run(self) -> Result<Done, Error> {
        match self {
            Command::Apply(args) => args.run(&Stopper::on_signals()?).await,
            Command::Destroy(args) => args.run(&Stopper::on_signals()?).await,
            Command::Rotate(args) => args.run(&Stopper::on_signals()?).await,
            Command::Restart(args) => args.run(&Stopper::on_signals()?).await,
            Command::Snapshot(args) => args.run(&Stopper::on_signals()?).await,
            Command::Restore(args) => args.run(&Stopper::on_signals()?).await,
            Command::Plan(args) => Stopper::on_signals()?.unless_asked(args.run()).await,
            Command::Status(args) => Stopper::on_signals()?.unless_asked(args.run()).await,
            Command::Drift(args) => Stopper::on_signals()?.unless_asked(args.run()).await,
            Command::Backups(args) => Stopper::on_signals()?.unless_asked(args.run()).await,
            Command::Outputs(args) => Stopper::on_signals()?.unless_asked(args.run()).await,
            Command::State(args) => args.run().await,
            Command::Init(args) => args.run(),
            Command::Completions(args) => args.run(),
        }
    }

    fn verbosity(&self) -> u8 {
        match self {
            Command::Apply(args) => args.common.verbose,
            Command::Plan(args) => args.common.verbose,
            Command::Status(args) => args.common.verbose,
            Command::Drift(args) => args.common.verbose,
            Command::Destroy(args) => args.common.verbose,
            Command::Rotate(args) => args.common.verbose,
            Command::Restart(args) => args.common.verbose,
            Command::Backups(args) => args.common.verbose,
            Command::Snapshot(args) => args.common.verbose,
            Command::Restore(args) => args.common.verbose,
            Command::Outputs(args) => args.common.verbose,
            Command::State(args) => args.common().verbose,
            Command::Init(_) | Command::Completions(_) => 0,
        }
    }
}

fn start_tracing(verbosity: u8) {
    let filter = match verbosity {
        0 => return,
        1 => "tapctl=debug",
        _ => "tapctl=debug,aws_config=debug,aws_smithy_runtime=debug",
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(render::colours_stderr())
        .with_writer(std::io::stderr)
        .init();
}

#[cfg(test)]
mod tests {
    use super::{Class, exit_code};

    #[test]
    fn failures_that_time_mends_have_a_code_of_their_own() {
        assert_eq!(exit_code(&[Class::Busy, Class::NotYet]), 5);
        assert_eq!(exit_code(&[Class::Busy, Class::Invalid]), 1);
        assert_eq!(exit_code(&[Class::Denied]), 1);
        assert_eq!(exit_code(&[Class::Busy, Class::Credentials, Class::Other]), 4);
    }
}
