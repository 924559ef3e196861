//! How a receiver is reached. In: an endpoint, and which addresses may be talked to. Out: a connection to an address
//! that was judged, encrypted where the endpoint asks for that, or why there is none, without a word of the URL.

use super::{
    endpoint::{Endpoint, Host},
    guard::{Allowed, Resolve, System},
};
use ingest::source::session::Gate;
use std::{io, net::IpAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        self, CertificateError, ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName,
    },
};

/// Addresses of a name to which a connection is tried, one after the other. Unit: addresses.
pub(super) const ADDRESSES_MAX: usize = 4;

/// How long a name may take to be resolved where nothing else is asked for.
const RESOLVED_MAX: Duration = Duration::from_secs(10);

/// Why nobody can be reached at all.
#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    /// Nobody's certificate can be trusted.
    #[error(
        "no root certificates on this system (expected the package ca-certificates, or SSL_CERT_FILE)"
    )]
    NoRoots,
    /// The library refuses its own defaults.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}

/// What is around a sink, and another in tests.
pub(super) struct Around {
    pub(super) roots: RootCertStore,
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) timeout: Duration,
}

/// Why there is no answer.
pub(super) struct Fault(pub(super) String);

impl Fault {
    pub(super) fn of_io(doing: &str, error: &io::Error) -> Self {
        // What the system says may hold a name; the kind does not.
        Self(format!("{doing}: {}", error.kind()))
    }
}

/// What bytes go through.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

pub(super) type Connection = Box<dyn Stream>;

/// The way to a receiver.
#[derive(Clone)]
pub(super) struct Reach {
    tls: TlsConnector,
    resolver: Arc<dyn Resolve>,
    /// From the first look for the address on.
    pub(super) timeout: Duration,
    /// Whether anything may still be sent; asked last, since a name and a connection may take their time.
    pub(super) gate: Gate,
}

impl Reach {
    /// One that trusts the certificates of the system.
    pub(super) fn new(timeout: Duration) -> Result<Self, ReachError> {
        let mut roots = RootCertStore::empty();
        // Some that cannot be read are no harm while there are others.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(ReachError::NoRoots);
        }
        Self::within(Around { roots, resolver: Arc::new(System), timeout })
    }

    /// One that trusts nobody's certificates: for what is not encrypted.
    pub(super) fn in_the_clear(timeout: Duration) -> Result<Self, ReachError> {
        let roots = RootCertStore::empty();
        Self::within(Around { roots, resolver: Arc::new(System), timeout })
    }

    pub(super) fn within(around: Around) -> Result<Self, ReachError> {
        let Around { roots, resolver, timeout } = around;
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let (tls, gate) = (TlsConnector::from(Arc::new(tls)), Gate::default());
        Ok(Self { tls, resolver, timeout, gate })
    }

    /// A connection to an address of the endpoint that may be talked to.
    pub(super) async fn connect(
        &self,
        endpoint: &Endpoint,
        allowed: &Allowed,
    ) -> Result<Connection, Fault> {
        let addresses = self.addresses(endpoint, allowed).await?;
        let Endpoint { host, port, .. } = endpoint;
        let mut fault = Fault("the name has no address".to_owned());
        let tried = addresses.iter().take(ADDRESSES_MAX);
        let each = self.timeout / u32::try_from(tried.len()).unwrap_or(1).max(1);
        for ip in tried {
            // To this very address: the name is not asked for again.
            match timeout(each, TcpStream::connect((*ip, *port))).await {
                Ok(Ok(tcp)) => {
                    let connection = if endpoint.is_tls() {
                        self.encrypt(host, tcp).await?
                    } else {
                        Box::new(tcp)
                    };
                    return self.may_send().map(|()| connection);
                }
                Ok(Err(error)) => fault = Fault::of_io("cannot connect", &error),
                Err(_) => fault = Fault("cannot connect: timed out".to_owned()),
            }
        }
        Err(fault)
    }

    /// Whether something may be sent now.
    pub(super) fn may_send(&self) -> Result<(), Fault> {
        let closed = || Fault("nothing may be sent any more".to_owned());
        self.gate.is_open().then_some(()).ok_or_else(closed)
    }

    /// All addresses of an endpoint, if all may be talked to.
    pub(super) async fn addresses(
        &self,
        endpoint: &Endpoint,
        allowed: &Allowed,
    ) -> Result<Vec<IpAddr>, Fault> {
        let addresses = match &endpoint.host {
            Host::Address(ip) => vec![*ip],
            Host::Name(name) => {
                let found = self.resolver.resolve(name).await;
                found.map_err(|error| Fault::of_io("cannot resolve the name", &error))?
            }
        };
        if let Some(inner) = addresses.iter().find_map(|ip| allowed.refuses(*ip)) {
            return Err(Fault(format!("the URL leads to {inner}")));
        }
        if !endpoint.is_tls() && !addresses.iter().all(|ip| allowed.holds(*ip)) {
            let expected = endpoint.scheme.encrypted();
            let what = "the URL leads to an address that `allow` does not name";
            return Err(Fault(format!("{what} (expected {expected})")));
        }
        Ok(addresses)
    }

    async fn encrypt(&self, host: &Host, tcp: TcpStream) -> Result<Connection, Fault> {
        let name = match host {
            Host::Address(ip) => ServerName::from(*ip),
            Host::Name(name) => ServerName::try_from(name.clone())
                .map_err(|_| Fault("no certificate can be for such a name".to_owned()))?,
        };
        let tls = self.tls.connect(name, tcp).await.map_err(|error| of_tls(&error))?;
        Ok(Box::new(tls))
    }
}

/// The addresses that an endpoint leads to, if all of them may be talked to; or why not, without a word of the URL.
/// Nothing is sent to any of them.
pub async fn resolve(endpoint: &Endpoint, allowed: &Allowed) -> Result<Vec<IpAddr>, String> {
    let reach = Reach::in_the_clear(RESOLVED_MAX).map_err(|error| error.to_string())?;
    let found = timeout(RESOLVED_MAX, reach.addresses(endpoint, allowed)).await;
    let late = || Err("cannot resolve the name: timed out".to_owned());
    found.map_or_else(|_| late(), |found| found.map_err(|Fault(what)| what))
}

/// What is wrong with TLS, without the name that the certificate should have been for.
fn of_tls(error: &io::Error) -> Fault {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let what = match inner {
        Some(rustls::Error::InvalidCertificate(wrong)) => match wrong {
            CertificateError::UnknownIssuer => "a certificate of an unknown issuer",
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "a certificate for another name"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "a certificate that has expired"
            }
            _ => "a certificate that is not valid",
        },
        Some(_) => "the other side speaks it otherwise, or not at all",
        None => return Fault::of_io("no TLS", error),
    };
    Fault(format!("no TLS: {what}"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use tokio_rustls::rustls::{ServerConfig, pki_types::PrivatePkcs8KeyDer};

    impl Reach {
        /// One that trusts these certificates alone.
        pub(in crate::sinks) fn with_roots(roots: RootCertStore) -> Self {
            let timeout = Duration::from_secs(20);
            Self::within(Around { roots, resolver: Arc::new(System), timeout }).unwrap()
        }
    }

    /// A server's certificate for `hooks.example.com` and 127.0.0.1, and who trusts it.
    pub(in crate::sinks) fn certified() -> (RootCertStore, Arc<ServerConfig>) {
        let names = ["hooks.example.com", "127.0.0.1"].map(str::to_owned);
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).unwrap();
        let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key.into())
            .unwrap();
        (roots, Arc::new(config))
    }
}
