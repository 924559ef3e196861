//! `/livez`, `/readyz` and `/metrics`, over plain HTTP: what they say names no identity. `/status` says what went wrong, in
//! the words of the log, to this machine only.

use super::{Level, Log, metrics::Metrics};
use anyhow::{Context as _, Result};
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::CONTENT_TYPE,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Handle,
    sync::Semaphore,
    time::sleep,
};

/// Connections that are answered at a time; others wait. Unit: connections.
pub(super) const CONNECTIONS_MAX: usize = 32;
/// How long to wait after a connection that could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a request may take to arrive.
const HEADER_MAX: Duration = Duration::from_secs(10);
/// Without a sign of the loop for so long it hangs: no object takes that long. Unit: milliseconds (15 min).
const ALIVE_MS_MAX: i64 = 15 * 60 * 1_000;
/// With nothing made durable for so long it is not ready. Unit: milliseconds (5 min).
const DURABLE_MS_MAX: i64 = 5 * 60 * 1_000;
/// With every receive from a queue failing for so long it is not ready.
const OUT_OF_REACH_MAX: Duration = Duration::from_mins(1);
/// The form of `/metrics` (`OpenMetrics` 1.0).
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const JSON: &str = "application/json";
const PLAIN: &str = "text/plain; charset=utf-8";

/// Answers at `address` until the runtime ends.
pub(super) fn serve(
    runtime: &Handle,
    address: SocketAddr,
    metrics: Arc<Metrics>,
    log: &Arc<Log>,
) -> Result<()> {
    let listener = runtime.block_on(TcpListener::bind(address));
    let listener = listener.with_context(|| format!("cannot listen on {address}"))?;
    let at = listener.local_addr()?.to_string();
    let fields = [("address", json!(at))];
    log.say(Level::Info, "listening", &format!("health and metrics on http://{at}"), &fields);
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let of_connections = runtime.clone();
    let told = Arc::clone(log);
    runtime.spawn(async move {
        while let Ok(permit) = Arc::clone(&permits).acquire_owned().await {
            let Ok((stream, peer)) = listener.accept().await else {
                // There may be no more files to open: until some are closed.
                sleep(PAUSE).await;
                continue;
            };
            let (metrics, log) = (Arc::clone(&metrics), Arc::clone(&told));
            let log = peer.ip().to_canonical().is_loopback().then_some(log);
            of_connections.spawn(async move {
                answer(stream, (&metrics, log.as_deref())).await;
                drop(permit);
            });
        }
    });
    Ok(())
}

async fn answer(stream: TcpStream, (metrics, log): (&Metrics, Option<&Log>)) {
    let service = service_fn(|request: Request<Incoming>| async move {
        Ok::<_, Infallible>(reply(request.method(), request.uri().path(), (metrics, log)))
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_MAX).keep_alive(false);
    // Whoever asked badly has been told; whoever went away needs no answer.
    drop(http.serve_connection(TokioIo::new(stream), service).await);
}

/// `log` is that of the daemon where this machine asks.
fn reply(
    method: &Method,
    path: &str,
    (metrics, log): (&Metrics, Option<&Log>),
) -> Response<Full<Bytes>> {
    let (alive_ms, durable_ms) = metrics.ages_ms();
    let is_alive = alive_ms <= ALIVE_MS_MAX;
    let (status, form, text) = match (method, path) {
        (&Method::GET, "/metrics") => (StatusCode::OK, OPEN_METRICS, metrics.text()),
        (&Method::GET, "/livez") if is_alive => (StatusCode::OK, PLAIN, "alive\n".to_owned()),
        (&Method::GET, "/livez") => {
            let text = format!("no sign of the loop for {} s\n", alive_ms / 1_000);
            (StatusCode::SERVICE_UNAVAILABLE, PLAIN, text)
        }
        (&Method::GET, "/readyz") => {
            let standby = metrics.is_standby().then(|| "standby".to_owned());
            let why = standby.or_else(|| unready((alive_ms, durable_ms), metrics.out_of_reach()));
            match why {
                None => (StatusCode::OK, PLAIN, "ready\n".to_owned()),
                Some(why) => (StatusCode::SERVICE_UNAVAILABLE, PLAIN, format!("{why}\n")),
            }
        }
        (&Method::GET, "/status") => log.map_or_else(
            || {
                let text = "/status is for the machine that it runs on: ask 127.0.0.1\n".to_owned();
                (StatusCode::FORBIDDEN, PLAIN, text)
            },
            |log| (StatusCode::OK, JSON, json!({"troubles": log.troubles()}).to_string()),
        ),
        (&Method::GET, _) => {
            let text = "expected /livez, /readyz, /metrics or /status\n".to_owned();
            (StatusCode::NOT_FOUND, PLAIN, text)
        }
        _ => (StatusCode::METHOD_NOT_ALLOWED, PLAIN, "expected GET\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let form = hyper::header::HeaderValue::from_static(form);
    response.headers_mut().insert(CONTENT_TYPE, form);
    response
}

/// Why it is not ready, if it is not: by how long ago the loop came by and what was read became durable, and for
/// how long a queue has been out of reach. Unit: milliseconds.
fn unready((alive_ms, durable_ms): (i64, i64), out_of_reach: Option<Duration>) -> Option<String> {
    if alive_ms > ALIVE_MS_MAX {
        return Some(format!("nothing was looked at for {} s", alive_ms / 1_000));
    }
    if durable_ms > DURABLE_MS_MAX {
        return Some(format!("nothing made durable for {} s", durable_ms / 1_000));
    }
    let long = out_of_reach.filter(|long| *long > OUT_OF_REACH_MAX)?;
    Some(format!("nothing can be received from a queue for {} s", long.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alerts::Suppressions;

    #[test]
    fn what_went_wrong_is_told_to_this_machine_only() {
        let (metrics, log) = (Metrics::new(&Suppressions::default()), Log::of_a_command());
        log.say(Level::Warn, "object-unread", "AWSLogs/1", &[]);
        let status = |log| reply(&Method::GET, "/status", (&metrics, log)).status();
        assert_eq!(status(Some(&log)), StatusCode::OK);
        assert_eq!(status(None), StatusCode::FORBIDDEN);
    }

    #[test]
    fn ready_is_who_makes_durable_and_reaches_its_queues() {
        let told = |alive_ms, durable_ms, reach_s: Option<u64>| {
            unready((alive_ms, durable_ms), reach_s.map(Duration::from_secs))
        };
        assert_eq!(told(0, DURABLE_MS_MAX, None), None);
        assert_eq!(told(0, 0, Some(60)), None);
        let says = |why: &str| Some(why.to_owned());
        assert_eq!(told(0, 300_001, None), says("nothing made durable for 300 s"));
        assert_eq!(told(900_001, 1_000, None), says("nothing was looked at for 900 s"));
        assert_eq!(told(0, 0, Some(61)), says("nothing can be received from a queue for 61 s"));
    }
}
