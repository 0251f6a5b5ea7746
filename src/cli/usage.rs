//! Wrong usage, with what may have been meant.

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

use super::Cli;
use crate::names;

/// The same error, with the flag that an unknown one is spelled like.
pub(super) fn with_suggestion(mut error: Error, words: impl Iterator<Item = String>) -> Error {
    if error.kind() != ErrorKind::UnknownArgument || error.get(ContextKind::SuggestedArg).is_some() {
        return error;
    }
    let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidArg).cloned() else { return error };
    let mut command = &Cli::command();
    for word in words {
        command = command.find_subcommand(word).unwrap_or(command);
    }
    let flags: Vec<&str> = command.get_arguments().filter_map(|argument| argument.get_long()).collect();
    if let Some(meant) = unknown.strip_prefix("--").and_then(|unknown| names::nearest(unknown, flags)) {
        error.insert(ContextKind::SuggestedArg, ContextValue::String(format!("--{meant}")));
    }
    error
}
