//! A receiver of webhooks, on the loopback.

use serde_json::Value;
use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
        mpsc,
    },
    thread,
};

/// One that answers with a status that can be changed, and hands over what it is told.
pub(crate) fn receiver() -> (String, Arc<AtomicU16>, mpsc::Receiver<Value>) {
    let status = Arc::new(AtomicU16::new(200));
    let answer = Arc::clone(&status);
    let (address, told) = receiver_by(move |_| answer.load(Ordering::SeqCst));
    (address, status, told)
}

/// One that answers each path so; what it takes it hands over, with the path, the id of the message, its signatures and its trace.
pub(crate) fn receiver_by(
    answer: impl Fn(&str) -> u16 + Send + 'static,
) -> (String, mpsc::Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (to, told) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (head, body) = read(&mut stream);
            let path = head.split(' ').nth(1).unwrap();
            let status = answer(path);
            if status == 200 {
                let mut sent: Value = serde_json::from_str(&body).unwrap();
                for name in ["webhook-id", "webhook-signature", "traceparent"] {
                    let value = head.split(&format!("{name}: ")).nth(1);
                    sent[name] = value.and_then(|rest| rest.lines().next()).into();
                }
                sent["path"] = path.into();
                to.send(sent).unwrap();
            }
            let head = format!("HTTP/1.1 {status} so\r\ncontent-length: 0\r\n");
            write!(stream, "{head}connection: close\r\n\r\n").unwrap();
        }
    });
    (address, told)
}

fn read(stream: &mut TcpStream) -> (String, String) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let n = stream.read(&mut buffer).unwrap();
        bytes.extend_from_slice(&buffer[..n]);
        let request = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = request.split_once("\r\n\r\n") else { continue };
        let length = head.to_lowercase();
        let length = length.split("content-length: ").nth(1).unwrap();
        let length: usize = length.lines().next().unwrap().trim().parse().unwrap();
        if body.len() >= length {
            return (head.to_owned(), body.to_owned());
        }
    }
}
