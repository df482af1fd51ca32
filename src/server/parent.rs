//! Ends the server when the process that started it is gone, as it may leave the input open.

use std::time::Duration;

/// How often the parent is looked for.
const INTERVAL: Duration = Duration::from_secs(2);

/// Watches the process that `initialize` names.
pub(super) fn watch(process: Option<u32>) {
    let Some(process) = process else { return };
    let own_parent = parent_of_this();
    if !is_alive(process, own_parent) {
        return; // A number from elsewhere, such as outside of a container.
    }
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(INTERVAL);
        while is_alive(process, own_parent) {
            ticks.tick().await;
        }
        std::process::exit(1);
    });
}

#[cfg(unix)]
fn parent_of_this() -> u32 {
    std::os::unix::process::parent_id()
}

#[cfg(not(unix))]
fn parent_of_this() -> u32 {
    0
}

/// Linux lists processes as folders; one that has ended but was not waited for is in state `Z`.
#[cfg(target_os = "linux")]
fn is_alive(process: u32, _: u32) -> bool {
    let Ok(state) = std::fs::read_to_string(format!("/proc/{process}/stat")) else { return false };
    let behind_name = state.rsplit_once(')').map(|(_, rest)| rest.trim_start());
    !behind_name.is_some_and(|rest| rest.starts_with(['Z', 'X']))
}

/// Elsewhere an orphan is known by its new parent; where even that cannot be asked, the end of the input has to do.
#[cfg(not(target_os = "linux"))]
fn is_alive(_: u32, own_parent: u32) -> bool {
    parent_of_this() == own_parent
}
