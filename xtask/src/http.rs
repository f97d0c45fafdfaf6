//! Just enough HTTP to ask our own gateway on loopback how it is.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};

/// A gateway on the same machine that takes longer than this is not well.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A status page or a page of robots is far smaller.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// `GET` of an `http://` address, with a bearer token if one is given.
pub(crate) fn get(base: &str, path: &str, token: Option<&str>) -> Result<Answer> {
    exchange(base, &format!("GET {path}"), token, None)
}

/// `POST` of JSON, under a fresh `Idempotency-Key`.
pub(crate) fn post(base: &str, path: &str, token: &str, body: &str) -> Result<Answer> {
    exchange(base, &format!("POST {path}"), Some(token), Some(body))
}

fn exchange(base: &str, what: &str, token: Option<&str>, body: Option<&str>) -> Result<Answer> {
    let authority = authority(base)?;
    let address = authority
        .to_socket_addrs()?
        .find(std::net::SocketAddr::is_ipv4)
        .with_context(|| format!("{authority} has no address"))?;
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_WITHIN)
        .with_context(|| format!("nothing answers at {authority}"))?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    stream.set_write_timeout(Some(ANSWER_WITHIN))?;

    // HTTP/1.0, so that the answer ends with the connection and is never in chunks.
    let mut request =
        format!("{what} HTTP/1.0\r\nHost: {authority}\r\nAccept: application/json\r\n");
    if let Some(token) = token {
        request.push_str("Authorization: Bearer ");
        request.push_str(token);
        request.push_str("\r\n");
    }
    if let Some(body) = body {
        let key = fresh_id()?;
        write!(
            request,
            "Idempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        )?;
    }
    request.push_str("\r\n");
    request.push_str(body.unwrap_or_default());
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(MOST_BYTES).read_to_end(&mut answer)?;
    parse(&String::from_utf8_lossy(&answer))
}

/// A random UUID (RFC 9562, version 4).
pub(crate) fn fresh_id() -> Result<String> {
    let mut bytes = [0_u8; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex::encode(bytes);
    Ok([
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-"))
}

fn authority(base: &str) -> Result<&str> {
    let rest = base
        .strip_prefix("http://")
        .ok_or_else(|| anyhow!("{base} is not a plain http address"))?;
    Ok(rest.split('/').next().unwrap_or(rest))
}

fn parse(answer: &str) -> Result<Answer> {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        bail!("the answer has no end of head");
    };
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .context("the answer has no status")?;
    Ok(Answer {
        status,
        body: body.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_apart() {
        let answer =
            parse("HTTP/1.1 503 Service Unavailable\r\ncontent-type: x\r\n\r\n{}").unwrap();

        assert_eq!(answer.status, 503);
        assert_eq!(answer.body, "{}");
    }

    #[test]
    fn only_a_plain_address_is_asked() {
        assert_eq!(
            authority("http://localhost:8420/x").unwrap(),
            "localhost:8420"
        );
        assert!(authority("https://localhost:8420").is_err());
    }
}
