//! What a run knows stays in its memory.

/// Session keys, passwords and private keys are in memory while a run lasts. No core dump may put them on a disk: neither
/// the kernel, which goes by the limit, nor a collector as systemd's, which gets what is dumpable whatever the limit is.
/// Where a sandbox forbids even this, the run goes on without.
pub(super) fn forbid_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let _ = setrlimit(Resource::Core, none);
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
