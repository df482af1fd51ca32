//! A small editor: starts the server, speaks the protocol with it, answers its requests.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use super::folder::Folder;

/// Longer than any answer takes; a test that waits so long fails.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Client {
    process: RefCell<Child>,
    input: RefCell<Option<ChildStdin>>,
    messages: Receiver<Value>,
    errors: Receiver<String>,
    answers: RefCell<HashMap<i64, Value>>,
    notifications: RefCell<VecDeque<Value>>,
    /// The methods of the server's requests, in order.
    requests: RefCell<VecDeque<Value>>,
    next_id: Cell<i64>,
    settings: RefCell<Value>,
    /// Whether requests for settings wait until [`Client::answer_settings`].
    holds_settings: Cell<bool>,
    held: RefCell<Vec<Value>>,
}

/// What a modern editor says it can do.
pub fn abilities() -> Value {
    json!({
        "general": {"positionEncodings": ["utf-16"]},
        "textDocument": {
            "hover": {"contentFormat": ["markdown", "plaintext"]},
            "inlayHint": {"resolveSupport": {"properties": ["tooltip"]}},
            "diagnostic": {"relatedDocumentSupport": false},
            "publishDiagnostics": {
                "relatedInformation": true, "codeDescriptionSupport": true, "dataSupport": true,
                "tagSupport": {"valueSet": [1, 2]},
            },
            "codeAction": {
                "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix", "refactor", "source"]}},
                "isPreferredSupport": true, "disabledSupport": true, "dataSupport": true,
                "resolveSupport": {"properties": ["edit"]},
            },
        },
        "workspace": {
            "configuration": true,
            "inlayHint": {"refreshSupport": true},
            "diagnostics": {"refreshSupport": true},
            "workspaceEdit": {"documentChanges": true, "changeAnnotationSupport": {"groupsOnLabel": true}},
            "didChangeWatchedFiles": {"dynamicRegistration": true, "relativePatternSupport": true},
        },
    })
}

/// [`abilities`] with another value at a JSON pointer; `null` takes one away.
pub fn abilities_but(pointer: &str, value: Value) -> Value {
    let mut abilities = abilities();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    abilities.pointer_mut(parent).unwrap()[name] = value;
    abilities
}

impl Client {
    /// The process, without a handshake.
    pub fn spawn() -> Self {
        Self::spawn_with(&[])
    }

    /// The process with more environment variables.
    pub fn spawn_with(variables: &[(&str, &str)]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_dunderstand"))
            .arg("server")
            .envs(variables.iter().copied())
            .env_remove("VIRTUAL_ENV")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, messages) = channel();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        std::thread::spawn(
            move || while read_message(&mut output).is_some_and(|message| sender.send(message).is_ok()) {},
        );
        let (sender, errors) = channel();
        let error_output = BufReader::new(process.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in error_output.lines().map_while(Result::ok) {
                sender.send(line).ok();
            }
        });
        Self {
            input: RefCell::new(process.stdin.take()),
            process: RefCell::new(process),
            messages,
            errors,
            answers: RefCell::default(),
            notifications: RefCell::default(),
            requests: RefCell::default(),
            next_id: Cell::new(1),
            settings: RefCell::new(json!({})),
            holds_settings: Cell::new(false),
            held: RefCell::default(),
        }
    }

    /// An editor on `folder` that can do everything.
    pub fn start(folder: &Folder) -> Self {
        Self::start_with(folder, abilities(), json!({}))
    }

    pub fn start_with(folder: &Folder, abilities: Value, settings: Value) -> Self {
        let client = Self::spawn();
        client.settings.replace(settings);
        client.initialize(folder, abilities);
        client.notify("initialized", json!({}));
        // Answered at once: the server's reads wait for it.
        client.wait_for_request("workspace/configuration");
        client
    }

    /// An editor with initialization options.
    pub fn start_with_options(folder: &Folder, options: Value) -> Self {
        let client = Self::spawn();
        client.initialize_with(folder, abilities(), options);
        client.notify("initialized", json!({}));
        client.wait_for_request("workspace/configuration");
        client
    }

    /// Sends `initialize`; gives the answer.
    pub fn initialize(&self, folder: &Folder, abilities: Value) -> Value {
        self.initialize_with(folder, abilities, Value::Null)
    }

    fn initialize_with(&self, folder: &Folder, abilities: Value, options: Value) -> Value {
        let uri = format!("file://{}", folder.path().display());
        let folders = json!([{"uri": uri, "name": "workspace"}]);
        let mut params = json!({"processId": null, "capabilities": abilities, "workspaceFolders": folders});
        if !options.is_null() {
            params["initializationOptions"] = options;
        }
        self.request("initialize", params).unwrap()
    }

    /// Requests for settings wait until [`Client::answer_settings`].
    pub fn hold_settings(&self) {
        self.holds_settings.set(true);
    }

    pub fn answer_settings(&self) {
        self.wait_for_request("workspace/configuration");
        self.holds_settings.set(false);
        for message in self.held.take() {
            self.answer(&message);
        }
    }

    /// Other settings, of which the server is told.
    pub fn change_settings(&self, settings: Value) {
        self.settings.replace(settings);
        self.notify("workspace/didChangeConfiguration", json!({"settings": null}));
    }

    /// Bytes as they are.
    pub fn send_raw(&self, bytes: &[u8]) {
        let mut input = self.input.borrow_mut();
        let input = input.as_mut().unwrap();
        input.write_all(bytes).unwrap();
        input.flush().unwrap();
    }

    fn send(&self, message: &Value) {
        let body = message.to_string();
        self.send_raw(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    pub fn notify(&self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Sends a request; its answer is waited for with [`Client::wait`].
    pub fn ask(&self, method: &str, params: Value) -> i64 {
        let id = self.next_id.replace(self.next_id.get() + 1);
        let mut message = json!({"jsonrpc": "2.0", "id": id, "method": method});
        if !params.is_null() {
            message["params"] = params;
        }
        self.send(&message);
        id
    }

    /// The answer to a request: the result, or the error.
    pub fn wait(&self, id: i64) -> Result<Value, Value> {
        loop {
            if let Some(answer) = self.answers.borrow_mut().remove(&id) {
                return match answer.get("error") {
                    Some(error) => Err(error.clone()),
                    None => Ok(answer["result"].clone()),
                };
            }
            self.take_message();
        }
    }

    pub fn request(&self, method: &str, params: Value) -> Result<Value, Value> {
        self.wait(self.ask(method, params))
    }

    /// Runs a command of the server's.
    pub fn command(&self, name: &str, arguments: Value) -> Result<Value, Value> {
        self.request("workspace/executeCommand", json!({"command": name, "arguments": arguments}))
    }

    /// The answer whose id is null: the server could not read the request.
    pub fn wait_for_nameless_error(&self) -> i64 {
        self.wait(NAMELESS).unwrap_err()["code"].as_i64().unwrap()
    }

    /// The next notification of this method for which `wanted` holds.
    pub fn wait_for_notification(&self, method: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let mut notifications = self.notifications.borrow_mut();
            let at = notifications.iter().position(|message| message["method"] == method && wanted(&message["params"]));
            if let Some(message) = at.and_then(|at| notifications.remove(at)) {
                return message["params"].clone();
            }
            drop(notifications);
            self.take_message();
        }
    }

    /// The notifications of this method that have arrived.
    pub fn arrived(&self, method: &str) -> Vec<Value> {
        let notifications = self.notifications.borrow();
        notifications.iter().filter(|message| message["method"] == method).map(|it| it["params"].clone()).collect()
    }

    /// The next request of the server's of this method.
    pub fn wait_for_request(&self, method: &str) -> Value {
        loop {
            let mut requests = self.requests.borrow_mut();
            let at = requests.iter().position(|message| message["method"] == method);
            if let Some(message) = at.and_then(|at| requests.remove(at)) {
                return message["params"].clone();
            }
            drop(requests);
            self.take_message();
        }
    }

    /// The next line on standard error that contains `text`.
    pub fn wait_for_error_output(&self, text: &str) -> String {
        loop {
            let line = self.errors.recv_timeout(PATIENCE).expect("no such line on standard error");
            if line.contains(text) {
                return line;
            }
        }
    }

    fn take_message(&self) {
        let message = self.messages.recv_timeout(PATIENCE).expect("the server says nothing");
        assert_eq!(message["jsonrpc"], "2.0");
        match (message.get("method"), message.get("id")) {
            (Some(_), Some(_)) => {
                let waits = message["method"] == "workspace/configuration" && self.holds_settings.get();
                match waits {
                    true => self.held.borrow_mut().push(message.clone()),
                    false => self.answer(&message),
                }
                self.requests.borrow_mut().push_back(message);
            }
            (Some(_), None) => self.notifications.borrow_mut().push_back(message),
            (None, id) => {
                let id = id.and_then(Value::as_i64).unwrap_or(NAMELESS);
                let twice = self.answers.borrow_mut().insert(id, message);
                assert_eq!(twice, None, "a request is answered once");
            }
        }
    }

    fn answer(&self, message: &Value) {
        let result = match message["method"].as_str() {
            Some("workspace/configuration") => {
                let items = message["params"]["items"].as_array().unwrap();
                items.iter().map(|_| self.settings.borrow().clone()).collect()
            }
            _ => Value::Null,
        };
        self.send(&json!({"jsonrpc": "2.0", "id": message["id"], "result": result}));
    }

    /// Closes the server's input.
    pub fn close_input(&self) {
        self.input.take();
    }

    /// Waits until the process ends.
    pub fn wait_for_exit(&self) -> ExitStatus {
        self.process.borrow_mut().wait().unwrap()
    }

    /// Says goodbye, as an editor does; gives the exit code.
    pub fn stop(&self) -> Option<i32> {
        assert_eq!(self.request("shutdown", Value::Null), Ok(Value::Null));
        self.notify("exit", Value::Null);
        self.wait_for_exit().code()
    }
}

const NAMELESS: i64 = -1;

impl Drop for Client {
    fn drop(&mut self) {
        let process = self.process.get_mut();
        process.kill().ok();
        process.wait().ok();
    }
}

fn read_message(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim().split_once(": ") {
            Some(("Content-Length", value)) => length = value.parse().unwrap(),
            _ if line.trim().is_empty() => break,
            _ => panic!("an unknown header: {line}"),
        }
    }
    let mut body = vec![0; length];
    output.read_exact(&mut body).ok()?;
    Some(serde_json::from_slice(&body).unwrap())
}
