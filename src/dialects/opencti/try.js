// A minimal agent desktop, to try the gateway and to copy from. No library, nothing from elsewhere.
//
// `Session` is the part to copy: it says Hello, answers are promises, and after a lost connection it takes the session up
// again without losing or doubling an event. Below it is the page, which shows whatever it is told as plain text.

const PROTOCOL_VERSION = 1;
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 10_000;
/** For a connection, and for the answer to Hello. */
const OPEN_MS_MAX = 10_000;
/** The gateway ended the connection for a reason that connecting anew would not change. */
const FINAL_CLOSE_CODES = [1002, 1003, 1007, 1008, 1009];
/** Hello failed for a reason that may pass by itself. */
const PASSING_CODES = ["OPENCTI_HTTP_ERROR_500", "OPENCTI_HTTP_ERROR_503", "OPENCTI_HTTP_ERROR_504"];
/** 1000 ends a session; any other code leaves it to be taken up again. */
const ENDED_CLOSE_CODE = 1000;
const LEFT_CLOSE_CODE = 4000;

/** One session, over as many connections as it takes. */
export class Session {
  #address;
  #memory;
  #told;
  #socket = null;
  #identity = "";
  #secret = "";
  /** Whether a lost connection is to be replaced. */
  #isWanted = false;
  #isOpen = false;
  #failures = 0;
  #retryTimer = 0;
  #silenceTimer = 0;
  #silenceMs = 0;
  #lastId = 0;
  /** Request id → what to call with its answer. */
  #waiting = new Map();

  /**
   * `memory` keeps the session's name and the last seq over a reload: a Storage, or what looks like one. `told` has the
   * functions `link(state, why)`, `welcome(answer)`, `event(event)`, `lostEvents(why)` and `notice(notice)`.
   */
  constructor(address, memory, told) {
    this.#address = address;
    this.#memory = memory;
    this.#told = told;
  }

  get isOpen() {
    return this.#isOpen;
  }

  /** Whether there is a session to take up, and whose. */
  get remembered() {
    try {
      return JSON.parse(this.#memory.getItem("session"));
    } catch {
      return null;
    }
  }

  connect(identity, secret) {
    this.#identity = identity;
    this.#secret = secret;
    this.#isWanted = true;
    this.#failures = 0;
    this.#drop();
    this.#dial();
  }

  /** Ends the session for good. */
  disconnect() {
    this.#isWanted = false;
    this.#memory.removeItem("session");
    this.#drop(ENDED_CLOSE_CODE);
    this.#told.link("off", "");
  }

  /** Does not wait for the next try, if one is waited for. */
  retryNow() {
    if (this.#isWanted && !this.#socket) {
      this.#dial();
    }
  }

  /** Asks, and gives the answer; null if the connection was lost before it came. */
  ask(activity, properties) {
    if (!this.#isOpen) {
      return Promise.resolve(null);
    }
    return this.#send(activity, properties);
  }

  #send(activity, properties) {
    const id = ++this.#lastId;
    this.#socket.send(JSON.stringify({ id, activity, ...properties }));
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  #dial() {
    clearTimeout(this.#retryTimer);
    this.#tellOfTry("");
    const socket = new WebSocket(this.#address);
    this.#socket = socket;
    this.#silenceMs = OPEN_MS_MAX;
    this.#listenOn();
    const ifCurrent = (then) => (event) => {
      if (socket === this.#socket) {
        then(event);
      }
    };
    socket.onopen = ifCurrent(() => this.#hello());
    socket.onmessage = ifCurrent((event) => this.#hear(event.data));
    socket.onclose = ifCurrent((event) => this.#closed(event.code, event.reason));
  }

  #hello() {
    const hello = { protocolVersion: PROTOCOL_VERSION, identity: this.#identity, secret: this.#secret };
    const known = this.remembered;
    if (known?.identity === this.#identity) {
      hello.resume = { session: known.session, seq: known.seq };
    }
    this.#send("Hello", hello);
  }

  #hear(text) {
    const message = JSON.parse(text);
    this.#listenOn();
    if ("notice" in message) {
      this.#told.notice(message);
    } else if ("id" in message) {
      this.#answered(message);
    } else if ("seq" in message) {
      this.#happened(message);
    }
  }

  #answered(answer) {
    // In this very turn, not in a later one: the next message may be an event of the session that this opens.
    if (!this.#isOpen) {
      answer.ok ? this.#opened(answer) : this.#notOpened(answer);
    } else if (!this.#waiting.has(answer.id)) {
      this.#told.notice({ notice: "Fail", message: answer.StatusMessage });
    }
    this.#waiting.get(answer.id)?.(answer);
    this.#waiting.delete(answer.id);
  }

  #opened(welcome) {
    const known = this.remembered;
    // Taken up in full, this is the last seq that was seen here; else what lies between is lost.
    this.#remember(welcome.session, welcome.seq);
    this.#isOpen = true;
    this.#failures = 0;
    this.#silenceMs = 2_000 * welcome.heartbeatSeconds;
    this.#listenOn();
    this.#told.welcome(welcome);
    this.#told.link("connected", "");
    if (welcome.resumed === false) {
      this.#told.lostEvents(welcome.why ?? "");
    } else if (welcome.resumed && known && welcome.seq > known.seq) {
      this.#told.lostEvents(`events ${known.seq + 1} to ${welcome.seq} are missing`);
    }
  }

  #notOpened(fail) {
    const why = `${fail.StatusMessage} (${fail.code})`;
    if (PASSING_CODES.includes(fail.code)) {
      this.#drop();
      this.#retryLater(why);
      return;
    }
    this.#isWanted = false;
    this.#drop(ENDED_CLOSE_CODE);
    this.#told.link("ended", why);
  }

  #happened(event) {
    const known = this.remembered;
    if (!known || event.seq <= known.seq) {
      return; // was seen before
    }
    if (event.seq > known.seq + 1) {
      this.#told.lostEvents(`events ${known.seq + 1} to ${event.seq - 1} are missing`);
    }
    this.#remember(known.session, event.seq);
    this.#told.event(event);
  }

  #remember(session, seq) {
    this.#memory.setItem("session", JSON.stringify({ identity: this.#identity, session, seq }));
  }

  #closed(code, reason) {
    const isFirstTry = !this.#isOpen && !this.#failures;
    this.#drop();
    if (FINAL_CLOSE_CODES.includes(code)) {
      this.#isWanted = false;
      this.#told.link("ended", reason || `close code ${code}`);
    } else if (this.#isWanted) {
      // A browser tells no page why there is no connection.
      this.#retryLater(reason || (isFirstTry ? "no connection: is the gateway there, and is this page one of its origins?" : ""));
    }
  }

  #retryLater(why) {
    const pause = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** this.#failures);
    this.#failures += 1;
    this.#tellOfTry(why);
    // Many desktops lose a gateway in one moment, and should not come back in one.
    this.#retryTimer = setTimeout(() => this.#dial(), pause * (0.5 + Math.random() / 2));
  }

  #tellOfTry(why) {
    this.#told.link(this.remembered ? "reconnecting" : "connecting", why);
  }

  /** A connection that says nothing for twice the time that the gateway promised is gone, whatever the browser thinks. */
  #listenOn() {
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = setTimeout(() => {
      this.#drop();
      this.#retryLater("the gateway was not heard");
    }, this.#silenceMs);
  }

  /** Hears nothing more of the present connection; who waits for an answer learns that there is none. */
  #drop(code = LEFT_CLOSE_CODE) {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#silenceTimer);
    const socket = this.#socket;
    this.#socket = null;
    this.#isOpen = false;
    socket?.close(code);
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    waiting.forEach((resolve) => resolve(null));
  }
}

// The page.

const EVENTS_MAX = 500;
const MESSAGES_MAX = 50;
const NAME_CELL = 2;
const REMEMBERED_FIELDS = ["identity", "agent-id", "dn", "queue"]; // no password is kept

const LINKS = {
  off: ["Not connected", "off"],
  connecting: ["Connecting", "busy"],
  reconnecting: ["Reconnecting", "busy"],
  connected: ["Connected", "good"],
  ended: ["Not connected", "bad"],
};

const STATES = {
  Ready: ["Ready", "good"],
  NotReady: ["Not ready", "bad"],
  Login: ["Logged in", "busy"],
  Logout: ["Logged out", "off"],
  Busy: ["On a call", "busy"],
  Unknown: ["State unknown", "off"],
};

/** Of a call: how it is shown, and what can be done with it then. */
const CALL_STATES = {
  Initiated: ["Dialling", "busy", ["hangUpCall"]],
  Alerting: ["Ringing", "busy", ["answerCall"]],
  Established: ["Talking", "good", ["holdCall", "hangUpCall"]],
  Retrieved: ["Talking", "good", ["holdCall", "hangUpCall"]],
  Held: ["On hold", "off", ["retrieveCall"]],
};

const CALL_BUTTONS = {
  answerCall: "Answer",
  holdCall: "Hold",
  retrieveCall: "Retrieve",
  hangUpCall: "Hang up",
  transferComplete: "Complete transfer",
  conferenceComplete: "Make conference",
};

const WORK_MODES = { BUSY: ["On a call", "busy"], ACW: ["After-call work", "busy"] };

const field = (id) => document.getElementById(id);
const written = (id) => field(id).value.trim();

function desktop() {
  const memory = tabsMemory();
  const acdsOnline = new Map();
  let ownAcd = "";
  /** The agent's calls by their ids, each with its last event of each kind. */
  const calls = new Map();
  let linkState = "off";

  const session = new Session(addressOfGateway(), memory, {
    link(state, why) {
      linkState = state;
      showLink();
      if (state === "off" || state === "ended") {
        forgetState(); // nobody tells it any more
      }
      if (why) {
        say(`${LINKS[state][0]}: ${why}`, state === "ended" ? "bad" : "busy");
      }
    },
    welcome(welcome) {
      acdsOnline.clear();
      welcome.acds.forEach((acd) => acdsOnline.set(acd.acd, acd.online));
      offer(welcome);
      if (welcome.resumed) {
        say("The session goes on where it was.", "good");
      } else {
        field("events").replaceChildren(); // another session's, whose numbers begin anew
        field("no-events").hidden = false;
      }
      // What was shown before is of another connection, or of the page as it was before it was loaded anew.
      forgetState();
      if (written("agent-id")) {
        // Nobody pressed anything: a refusal, such as of an agent that is not this client's, is no news.
        session.ask("GetSnapshot", aboutAgent());
      }
    },
    event(event) {
      listEvent(event);
      if (event.pyLinkState) {
        acdsOnline.set(event.acd, event.pyLinkState === "CONNECTED");
      }
      if (event.message) {
        say(event.message, "busy");
      }
      if (event.pyAgentId && event.pyAgentId === written("agent-id")) {
        ownAcd = event.acd;
        showState(event);
        followCall(event);
      }
      showLink();
    },
    lostEvents(why) {
      say(`The session was not resumed in full, events are lost${why ? `: ${why}` : ""}.`, "bad");
    },
    notice(notice) {
      if (notice.notice !== "Heartbeat") {
        say(`${notice.notice}${notice.message ? `: ${notice.message}` : ""}`, "busy");
      }
    },
  });

  function showLink() {
    const online = acdsOnline.get(ownAcd) ?? [...acdsOnline.values()].some((isOnline) => isOnline);
    const isAcdAway = linkState === "connected" && !online;
    badge("link", isAcdAway ? ["ACD offline", "bad"] : LINKS[linkState]);
    const isConnected = linkState === "connected";
    for (const id of ["login", "ready", "not-ready", "after-call", "logout", "call", "consult", "blind", "tones"]) {
      field(id).disabled = !isConnected;
    }
    field("state").classList.toggle("stale", linkState === "reconnecting");
    field("disconnect").disabled = linkState === "off" || linkState === "ended";
    field("connect").textContent = isConnected ? "Reconnect" : "Connect";
  }

  function forgetState() {
    ownAcd = "";
    badge("state", STATES.Unknown);
    calls.clear();
    showCalls();
  }

  /** A snapshot is followed by every call that there is. */
  function followCall(event) {
    const id = event.pyCallId;
    if (event.pyEventType === "SnapshotEvent") {
      calls.clear();
    } else if (event.pyEventType === "CallStateEvent" && !CALL_STATES[event.pyEventName]) {
      calls.delete(id);
    } else if (id) {
      calls.set(id, { ...calls.get(id), [event.pyEventType]: event });
    }
    showCalls();
  }

  function showCalls() {
    const known = [...calls].filter(([, call]) => call.CallStateEvent);
    const isTalking = (call) => ["Established", "Retrieved"].includes(call.CallStateEvent.pyEventName);
    const isAsking = known.some(([, call]) => isTalking(call)) && known.some(([, call]) => call.CallStateEvent.pyEventName === "Held");
    const rows = known.map(([id, call]) => {
      const [text, kind, activities] = CALL_STATES[call.CallStateEvent.pyEventName];
      const more = isAsking && isTalking(call) ? ["transferComplete", "conferenceComplete"] : [];
      const state = element("span", text);
      state.className = "pill";
      state.dataset.kind = kind;
      const buttons = element("span", "");
      buttons.className = "buttons";
      buttons.append(...[...activities, ...more].map((activity) => callButton(activity, id)));
      const row = document.createElement("li");
      row.append(state, element("span", `call ${id} with ${call.CallStateEvent.pyOtherDN || "unknown"}`), buttons);
      const about = callData(call);
      if (about) {
        const data = element("p", about);
        data.className = "data";
        row.append(data);
      }
      return row;
    });
    field("calls").replaceChildren(...rows);
    field("no-calls").hidden = rows.length > 0;
  }

  function callButton(activity, id) {
    const button = element("button", CALL_BUTTONS[activity]);
    button.type = "button";
    button.dataset.activity = activity;
    button.addEventListener("click", () => ask(activity, { CallID: id }));
    return button;
  }

  /** Dials, for a new call or from one that is talked on. */
  function dials(activity) {
    if (field("dial").reportValidity()) {
      ask(activity, { Destination: written("destination") });
    }
  }

  function connect() {
    keepFields(memory);
    memory.setItem("secret", field("secret").value && "is needed");
    session.connect(written("identity"), field("secret").value);
  }

  const aboutAgent = () => ({ AgentID: written("agent-id"), ...given("Acd", written("acd")) });

  async function ask(activity, properties) {
    if (!field("agent").reportValidity()) {
      return;
    }
    keepFields(memory);
    const answer = await session.ask(activity, { ...aboutAgent(), ...properties });
    if (!answer) {
      say(`${activity}: the connection was lost before the answer came.`, "bad");
    } else if (answer.Status === "Fail") {
      say(`${activity}: ${answer.StatusMessage} (${answer.code})`, "bad");
    } else {
      say(`${activity}: done.`, "good");
    }
  }

  const reason = () => (written("reason") ? { AgentOptions: { pyReasonCode: written("reason") } } : {});
  const clicked = (id, then) => field(id).addEventListener("click", then);
  const submitted = (id, then) =>
    field(id).addEventListener("submit", (event) => {
      event.preventDefault();
      then();
    });

  submitted("gateway", connect);
  clicked("disconnect", () => session.disconnect());
  submitted("agent", () => {
    const login = { AgentPassword: field("password").value, ...given("DN", written("dn")), ...given("Queue", written("queue")) };
    ask("LoginAgent", login);
  });
  clicked("ready", () => ask("SetAgentReady", {}));
  clicked("not-ready", () => ask("SetAgentNotReady", reason()));
  clicked("after-call", () => ask("SetAgentNotReady", { WorkMode: "AFTER_CALL_WORK" }));
  clicked("logout", () => ask("LogoutAgent", reason()));
  submitted("dial", () => dials("makeCall"));
  clicked("consult", () => dials("consultationCall"));
  clicked("blind", () => dials("blindTransfer"));
  clicked("tones", () => ask("sendDTMF", { Digits: written("destination") }));
  field("agent-id").addEventListener("change", forgetState);
  addEventListener("online", () => session.retryNow());

  restoreFields(memory);
  // A page that was loaded anew goes on by itself.
  if (session.remembered && memory.getItem("secret")) {
    say("The session waits: give the secret, which is not kept, and connect.", "busy");
  } else if (session.remembered) {
    connect();
  }
}

function addressOfGateway() {
  return `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/opencti`;
}

/** This tab's storage, or where the browser has none for us, nothing beyond a reload. */
function tabsMemory() {
  try {
    sessionStorage.setItem("probe", "");
    sessionStorage.removeItem("probe");
    return sessionStorage;
  } catch {
    const kept = new Map();
    return {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => kept.set(key, value),
      removeItem: (key) => kept.delete(key),
    };
  }
}

function keepFields(memory) {
  memory.setItem("fields", JSON.stringify(REMEMBERED_FIELDS.map(written)));
}

function restoreFields(memory) {
  const kept = JSON.parse(memory.getItem("fields") ?? "[]");
  kept.forEach((value, at) => (field(REMEMBERED_FIELDS[at]).value = value));
}

/** What can be chosen, as the gateway says. */
function offer(welcome) {
  choices("reason", "none", welcome.reasonCodes.map((code) => [code.name, `${code.name} (${code.code})`]));
  choices("acd", "any", welcome.acds.map((acd) => [acd.acd, acd.acd]));
  field("acd-field").hidden = welcome.acds.length < 2;
  const queues = new Set(welcome.acds.flatMap((acd) => acd.queues));
  field("queues").replaceChildren(...[...queues].map((queue) => option(queue, queue)));
  field("phone").hidden = !welcome.acds.some((acd) => acd.capabilities.callControl);
  field("after-call").hidden = !welcome.acds.some((acd) => acd.capabilities.afterCallWork);
  const needing = [
    ...(welcome.notReadyReasonRequired ? ["Not ready"] : []),
    ...(welcome.logoutReasonRequired ? ["Log out"] : []),
  ];
  const needed = needing.length ? ` ${needing.join(" and ")} cannot do without.` : "";
  field("reason-note").textContent = `goes with Not ready and Log out.${needed}`;
}

function choices(id, blank, values) {
  const before = field(id).value;
  field(id).replaceChildren(option("", blank), ...values.map(([value, text]) => option(value, text)));
  field(id).value = values.some(([value]) => value === before) ? before : "";
}

function option(value, text) {
  const made = document.createElement("option");
  made.value = value;
  made.textContent = text;
  return made;
}

function given(name, value) {
  return value ? { [name]: value } : {};
}

/** What an event says of the agent's state, as text and kind; null if nothing. */
function shownState(event) {
  const state = { AgentStateEvent: event.pyEventName, SnapshotEvent: event.pyAgentState }[event.pyEventType];
  return state ? (WORK_MODES[event.pyWorkMode] ?? STATES[state] ?? [state, "off"]) : null;
}

/** Who else is on a call, and what travels with it. */
function callData(call) {
  const parties = call.PartyInfoEvent?.pyParties.map((party) => party.pyDN).join(", ");
  const info = call.CallInfoEvent;
  const variables = info?.pyCallVariables.map((value, at) => value && `${at + 1}: ${value}`) ?? [];
  const named = Object.entries(info?.pyNamedVariables ?? {}).map(([name, value]) => `${name}: ${value}`);
  return [parties, ...variables, ...named, info?.pyApplicationData].filter(Boolean).join(" · ");
}

function showState(event) {
  const shown = shownState(event);
  if (shown) {
    const [text, kind] = shown;
    badge("state", [event.pyReasonCode ? `${text}: ${event.pyReasonCode}` : text, kind]);
  }
}

function badge(id, [text, kind]) {
  // The same text again would be read out again.
  if (field(id).textContent !== text) {
    field(id).textContent = text;
  }
  field(id).dataset.kind = kind;
}

function listEvent(event) {
  field("no-events").hidden = true;
  const more = [
    event.pyAgentState,
    event.pyWorkMode,
    event.pyLinkState,
    event.pyCallType,
    event.pyANI && `from ${event.pyANI}`,
    event.pyOtherDN && `with ${event.pyOtherDN}`,
    event.pyParties?.map((party) => party.pyDN).join(", "),
  ];
  const cells = [
    event.seq,
    clock(new Date(event.time)),
    event.pyEventName,
    event.pyEventType,
    event.pyAgentId,
    event.queue,
    event.pyReasonCode,
    more.filter(Boolean).join(" · "),
  ];
  const row = document.createElement("tr");
  row.append(...cells.map((text) => element("td", text ?? "")));
  const shown = shownState(event);
  if (shown) {
    const name = element("span", event.pyEventName);
    name.className = "pill";
    name.dataset.kind = shown[1];
    row.cells[NAME_CELL].replaceChildren(name);
  }
  field("events").prepend(row);
  cut(field("events"), EVENTS_MAX);
}

function say(text, kind) {
  const item = element("li", text);
  item.dataset.kind = kind;
  item.prepend(element("time", clock(new Date())));
  field("messages").prepend(item);
  cut(field("messages"), MESSAGES_MAX);
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function cut(list, most) {
  while (list.childElementCount > most) {
    list.lastElementChild.remove();
  }
}

function clock(time) {
  return Number.isNaN(time.getTime()) ? "" : time.toLocaleTimeString([], { hour12: false });
}

if (globalThis.document) {
  desktop();
}
