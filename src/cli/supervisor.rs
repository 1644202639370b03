//! What systemd is told of the gateway, where it has started it: sd_notify(3). Not here: what the gateway does.
//!
//! Nobody there, or nobody who listens, is no error.

use std::time::Duration;

use sd_notify::NotifyState;

/// Every listener is bound.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The configuration is being read again; [`ready`] says that it is done.
pub(super) fn reloading() {
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        tell(&[NotifyState::Reloading, now]);
    }
}

/// The last requests and goodbyes.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Says that the threads that serve still run, as often as it is asked for.
pub(super) async fn watchdog() {
    let Some(every) = sd_notify::watchdog_enabled() else { return };
    let mut every = tokio::time::interval((every / 2).max(Duration::from_millis(1)));
    loop {
        every.tick().await;
        tell(&[NotifyState::Watchdog]);
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "the service manager does not listen");
    }
}
