//! What each metric is called, and what it says: one table, from which writer, alerts, dashboard and README are checked.

/// Declares the metrics as a table of constant, name and meaning.
macro_rules! names {
    ($($constant:ident = $name:literal, $labels:literal, $help:literal;)*) => {
        $(#[doc = $help] pub const $constant: Named = Named { name: $name, labels: $labels, help: $help };)*

        /// Every metric that there is.
        pub const ALL: &[Named] = &[$($constant,)*];
    };
}

/// A metric's name and meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// As a scraper finds it.
    pub name: &'static str,
    /// The labels of its series.
    pub labels: &'static str,
    /// What it says.
    pub help: &'static str,
}

names! {
    BUILD = "ctigate_build_info", "version", "Always 1; says which version runs";
    READY = "ctigate_ready", "", "1 while /readyz says 200";
    STOPPING = "ctigate_stopping", "", "1 from the moment at which the gateway was told to stop";
    CONNECTIONS = "ctigate_connections", "listener", "Client connections that are open";
    CONNECTIONS_MAX = "ctigate_connections_max", "", "Client connections that may be open, limits.connections_max";
    ACCEPTED = "ctigate_connections_accepted_total", "listener, dialect", "Connections that were accepted, those refused at once included";
    CLOSED = "ctigate_connections_closed_total", "listener, dialect, reason", "Connections that ended, by their one reason";
    SESSIONS = "ctigate_sessions", "dialect, state", "Client sessions: connected, or lost and kept for who comes back";
    SUBSCRIPTIONS = "ctigate_subscriptions", "", "Subscriptions to events";
    REQUESTS = "ctigate_requests_total", "dialect, request, result", "Requests that were answered: ok, client_fault, acd_fault, congested";
    REQUESTS_RUNNING = "ctigate_requests_running", "", "Requests that wait for an ACD or for an agent's earlier request";
    TASKS = "ctigate_tasks", "", "Tasks that run or wait: one a connection, and some for links and what is done in the background";
    OUTBOUND_BYTES = "ctigate_outbound_bytes", "", "Bytes that wait for clients to read them, all together";
    OUTBOUND_BYTES_MAX = "ctigate_outbound_bytes_max", "", "Bytes that wait for the client for which most wait";
    OUTBOUND_BYTES_LIMIT = "ctigate_outbound_bytes_limit", "", "Bytes that may wait for one client, limits.outbound_bytes_max";
    EVENT_LATENCY = "ctigate_event_latency_seconds", "listener, dialect", "From reading an event from the ACD to having written it to a client; the oldest of each write";
    AGENTS = "ctigate_agents", "peripheral, state", "Agents that the gateway knows";
    QUEUE_AGENTS = "ctigate_queue_agents", "peripheral, queue, name, state", "Agents that are logged in to a queue";
    AGENTS_LOST = "ctigate_agents_without_client", "peripheral", "Agents whose clients were lost: they are logged out unless one comes back";
    AGENTS_TO_MEND = "ctigate_agents_to_mend", "peripheral", "Agents whose adapter or state is not as it should be and is tried again in the background";
    CALLS = "ctigate_calls", "peripheral", "Calls";
    ACD_LINK_UP = "ctigate_acd_link_up", "peripheral", "1 while the ACD can be reached and the table holds what it says";
    ACD_LINK_LOSSES = "ctigate_acd_link_losses_total", "peripheral", "Links to an ACD that were lost";
    ACD_EVENTS_WAITING = "ctigate_acd_events_waiting", "peripheral", "Reports of the ACD that were read and not taken in yet";
    ACD_EVENTS_WAITING_MAX = "ctigate_acd_events_waiting_max", "", "Reports of one ACD that may wait, limits.acd_events_max";
    ACD_COMMANDS_WAITING = "ctigate_acd_commands_waiting", "peripheral", "Commands that were taken on for the ACD and are not done";
    ACD_COMMANDS_WAITING_MAX = "ctigate_acd_commands_waiting_max", "", "Commands that may wait for one ACD, limits.acd_commands_max; newcomers are refused from the half on";
    OVERLOAD = "ctigate_overload_level", "", "What the machine can still bear: 0 is everything, 1 no newcomers, 2 only who leaves";
    ACD_REBUILDS = "ctigate_acd_rebuilds_total", "peripheral, why", "Rebuilds of the table: link_up, overflow of reports, failed ones tried again";
    ACD_CORRECTIONS = "ctigate_acd_corrections_total", "peripheral", "Differences between table and ACD that an audit found";
    ACD_COMMAND = "ctigate_acd_command_seconds", "peripheral, command", "From asking the ACD to its answer";
    ACD_FAILURES = "ctigate_acd_command_failures_total", "peripheral, command, why", "Commands that the ACD did not do: refused, timed_out, link_down, congested";
    LOGOUT_STEPS = "ctigate_logout_steps_total", "step, outcome", "Steps of logouts: done, refused, failed";
    FAILED_STEPS = "ctigate_failed_steps_total", "step", "Steps that failed for no fault of who asked; each has a log line";
    MEMORY = "process_resident_memory_bytes", "", "Memory of the process";
    OPEN_FDS = "process_open_fds", "", "File descriptors that are open";
    MAX_FDS = "process_max_fds", "", "File descriptors that may be open";
    STARTED = "process_start_time_seconds", "", "When the gateway started, in seconds since 1970";
}
