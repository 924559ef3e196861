//! A daemon that runs beside a test.

use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader},
    process::{Child, ChildStderr, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// No step takes so long; a test that waits for longer has failed. Unit: seconds.
const PATIENCE_S: u64 = 120;

/// Killed when a test is done with it.
pub(crate) struct Daemon {
    child: Child,
    lines: mpsc::Receiver<String>,
    /// What it has said.
    pub(crate) said: Vec<String>,
}

impl Daemon {
    /// Starts one, that dies at `fault` (`POINT:N`) if there is any.
    pub(crate) fn start<S: AsRef<str>>(arguments: &[S], fault: Option<&str>) -> Self {
        Self::start_in(&[], arguments, fault)
    }

    /// The same with these variables.
    pub(crate) fn start_in<S: AsRef<str>>(
        environment: &[(&str, &str)],
        arguments: &[S],
        fault: Option<&str>,
    ) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sentrail"));
        command.arg("run").args(arguments.iter().map(AsRef::as_ref));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.envs(environment.iter().copied());
        if let Some(fault) = fault {
            command.env("SENTRAIL_FAULT", fault);
        }
        let mut child = command.spawn().unwrap();
        let lines = lines_of(child.stderr.take().unwrap());
        Self { child, lines, said: Vec::new() }
    }

    /// Waits until it says that `event` happened; answers whether it did, or else ended before.
    pub(crate) fn says(&mut self, event: &str) -> bool {
        loop {
            match self.lines.recv_timeout(Duration::from_secs(PATIENCE_S)) {
                Ok(line) => {
                    let said = serde_json::from_str::<Value>(&line);
                    self.said.push(line);
                    if said.is_ok_and(|said| said["event"] == event) {
                        return true;
                    }
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => return false,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    panic!("waits in vain for {event}: {:#?}", self.said)
                }
            }
        }
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits until it has ended, and answers how.
    pub(crate) fn ends(&mut self) -> ExitStatus {
        while let Ok(line) = self.lines.recv_timeout(Duration::from_secs(PATIENCE_S)) {
            self.said.push(line);
        }
        self.child.wait().unwrap()
    }

    /// Asks it to end as a supervisor does; it does so without fault.
    pub(crate) fn stop(mut self) -> Vec<String> {
        self.signal("TERM");
        let status = self.ends();
        assert_eq!(status.code(), Some(0), "{:#?}", self.said);
        std::mem::take(&mut self.said)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn lines_of(stderr: ChildStderr) -> mpsc::Receiver<String> {
    let (to, lines) = mpsc::sync_channel(10_000);
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            if to.send(line).is_err() {
                break;
            }
        }
    });
    lines
}
