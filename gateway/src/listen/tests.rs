//! A real client at the real door.

use std::path::Path;

use axum::{Router, extract::ConnectInfo, routing::get, serve::ListenerExt as _};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::*;
use crate::config::Overrides;

const REQUEST: &[u8] = b"GET /who HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

fn config(data_dir: &Path, tls: Option<Tls>) -> Config {
    let mut config = Config::load(&Overrides {
        data: Some(data_dir.to_owned()),
        listen: Some("127.0.0.1:0".to_owned()),
        ..Overrides::default()
    })
    .unwrap();
    config.tls = tls;
    config
}

/// A door with a page behind it that tells visitors where they come from.
async fn serve(config: &Config) -> SocketAddr {
    let port = Port::open(config.listen).await.unwrap();
    let address = port.address();
    let door = port.serve(config).unwrap();
    let who = async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string();
    let service = Router::new()
        .route("/who", get(who))
        .into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(axum::serve(door.tap_io(|_connection| {}), service).into_future());
    address
}

async fn connect(
    address: SocketAddr,
    data_dir: &Path,
    versions: &[&'static SupportedProtocolVersion],
) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    let own = CertificateDer::from_pem_file(data_dir.join("tls/certificate.pem")).unwrap();
    roots.add(own).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    TlsConnector::from(Arc::new(client))
        .connect(ServerName::try_from("localhost").unwrap(), stream)
        .await
        .unwrap()
}

#[tokio::test]
async fn tls_is_served_in_both_versions_with_the_made_certificate_and_the_peer_is_known() {
    let data = tempfile::tempdir().unwrap();
    let address = serve(&config(data.path(), Some(Tls::Generated))).await;

    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut stream = connect(address, data.path(), &[version]).await;
        let us = stream.get_ref().0.local_addr().unwrap();
        stream.write_all(REQUEST).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();

        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.ends_with(&us.to_string()), "{answer}");
        let spoken: Option<ProtocolVersion> = stream.get_ref().1.protocol_version();
        assert_eq!(spoken, Some(version.version));
    }
}

#[tokio::test]
async fn a_plain_client_is_refused_where_tls_is_served() {
    let data = tempfile::tempdir().unwrap();
    let address = serve(&config(data.path(), Some(Tls::Generated))).await;
    let mut stream = TcpStream::connect(address).await.unwrap();

    stream.write_all(REQUEST).await.unwrap();
    let mut answer = Vec::new();
    // The end may be a reset: what matters is what came before.
    let _end = stream.read_to_end(&mut answer).await;

    assert!(!answer.starts_with(b"HTTP/"), "{answer:?}");
}

#[tokio::test]
async fn a_client_that_never_shakes_hands_delays_nobody() {
    let data = tempfile::tempdir().unwrap();
    let address = serve(&config(data.path(), Some(Tls::Generated))).await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }

    let mut stream = connect(address, data.path(), rustls::ALL_VERSIONS).await;
    stream.write_all(REQUEST).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();

    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(silent.len(), 8);
}

#[tokio::test]
async fn plain_http_is_served_on_loopback_only() {
    let data = tempfile::tempdir().unwrap();
    let config = config(data.path(), None);
    let address = serve(&config).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(REQUEST).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();

    let everywhere = Port::open("0.0.0.0:0".parse().unwrap()).await.unwrap();
    let refused = everywhere.serve(&config);

    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(matches!(refused, Err(ListenError::PlainBeyondLoopback(_))));
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let taken = Port::open("127.0.0.1:0".parse().unwrap()).await.unwrap();

    let refused = Port::open(taken.address()).await.unwrap_err().to_string();

    assert!(refused.contains(&taken.address().to_string()), "{refused}");
}

#[tokio::test]
async fn a_connection_on_which_nothing_moves_ends_and_one_that_moves_does_not() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let places = Arc::new(Semaphore::new(1));
    let mut client = TcpStream::connect(address).await.unwrap();
    let (stream, _peer) = listener.accept().await.unwrap();
    let room = Arc::clone(&places).acquire_owned().await.unwrap();
    let idle = Duration::from_millis(100);
    let mut connection = Connection::impatient(stream, room, idle);
    let mut byte = [0];

    let began = tokio::time::Instant::now();
    while began.elapsed() < idle * 3 {
        client.write_all(b"x").await.unwrap();
        connection.read_exact(&mut byte).await.unwrap();
    }
    let last = tokio::time::Instant::now();
    let ended = connection.read_exact(&mut byte).await.unwrap_err();

    assert_eq!(ended.kind(), io::ErrorKind::TimedOut);
    assert!(last.elapsed() + Duration::from_millis(10) >= idle);
    assert_eq!(places.available_permits(), 0);
    drop(connection);
    assert_eq!(places.available_permits(), 1);
}
