//! How a person names an incoming camera: `NAME=rtp://ADDRESS:PORT`, with its encoding and its label where they differ.

use std::{net::SocketAddr, str::FromStr};

use protocol::{limits::MAX_NAME_CHARS, robot::Codec};
use url::Url;

/// A camera that somebody else's pipeline sends, as it is written on the command line:
/// `door=rtp://127.0.0.1:5004?codec=vp8&label=Front+door`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingCamera {
    /// Its name on this robot. That of a camera of the driver takes its place.
    pub name: String,
    /// Its name for people.
    pub label: String,
    /// Where to listen.
    pub listen: SocketAddr,
    /// What the source sends.
    pub codec: Codec,
}

/// Why a text names no camera.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// No name and address.
    #[error("a camera is written NAME=rtp://ADDRESS:PORT, such as door=rtp://127.0.0.1:5004")]
    Shape,
    /// A name that can't be advertised.
    #[error(
        "the camera's name {0:?} may have 1 to 32 letters, digits, dashes and underscores, nothing else"
    )]
    Name(String),
    /// A label that is empty or fills a page.
    #[error("a camera's label has 1 to {MAX_NAME_CHARS} characters")]
    Label,
    /// Another encoding than those that browsers take.
    #[error("the camera's codec {0:?} is neither h264 nor vp8")]
    Codec(String),
    /// Something that is not understood, so not ignored.
    #[error("a camera's address knows codec=… and label=…, not {0:?}")]
    Option(String),
}

/// Longest name.
const MOST_NAME: usize = 32;

impl FromStr for IncomingCamera {
    type Err = AddressFault;

    fn from_str(text: &str) -> Result<Self, AddressFault> {
        let (name, address) = text.split_once('=').ok_or(AddressFault::Shape)?;
        let is_name = (1..=MOST_NAME).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !is_name {
            return Err(AddressFault::Name(name.to_owned()));
        }
        let url = Url::parse(address).map_err(|_not_a_url| AddressFault::Shape)?;
        if url.scheme() != "rtp" || !matches!(url.path(), "" | "/") {
            return Err(AddressFault::Shape);
        }
        let place = format!(
            "{}:{}",
            url.host_str().unwrap_or_default(),
            url.port().unwrap_or_default()
        );
        let mut camera = Self {
            name: name.to_owned(),
            label: capitalised(name),
            listen: place
                .parse()
                .ok()
                .filter(|listen: &SocketAddr| listen.port() != 0)
                .ok_or(AddressFault::Shape)?,
            codec: Codec::H264,
        };
        for (key, value) in url.query_pairs() {
            match (&*key, &*value) {
                ("codec", "h264") => camera.codec = Codec::H264,
                ("codec", "vp8") => camera.codec = Codec::Vp8,
                ("codec", other) => return Err(AddressFault::Codec(other.to_owned())),
                ("label", label) if !(1..=MAX_NAME_CHARS).contains(&label.chars().count()) => {
                    return Err(AddressFault::Label);
                }
                ("label", label) => label.clone_into(&mut camera.label),
                (other, _) => return Err(AddressFault::Option(other.to_owned())),
            }
        }
        Ok(camera)
    }
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(text: &str) -> Result<IncomingCamera, AddressFault> {
        text.parse()
    }

    #[test]
    fn a_name_and_a_port_are_enough() {
        let door = camera("door=rtp://127.0.0.1:5004").unwrap();

        assert_eq!(door.label, "Door");
        assert_eq!(door.codec, Codec::H264);
        assert_eq!(door.listen, SocketAddr::from(([127, 0, 0, 1], 5004)));
    }

    #[test]
    fn encoding_and_label_can_be_said() {
        let door = camera("door=rtp://[::1]:5004?codec=vp8&label=Front+door").unwrap();

        assert_eq!(
            (door.codec, door.label.as_str()),
            (Codec::Vp8, "Front door")
        );
        assert!(door.listen.is_ipv6());
    }

    #[test]
    fn what_is_not_understood_is_refused_rather_than_guessed() {
        for (text, fault) in [
            ("door", AddressFault::Shape),
            ("door=127.0.0.1:5004", AddressFault::Shape),
            ("door=rtsp://127.0.0.1:5004", AddressFault::Shape),
            ("door=rtp://127.0.0.1", AddressFault::Shape),
            ("door=rtp://127.0.0.1:0", AddressFault::Shape),
            ("door=rtp://camera.local:5004", AddressFault::Shape),
            ("door=rtp://127.0.0.1:5004/live", AddressFault::Shape),
            ("=rtp://127.0.0.1:5004", AddressFault::Name(String::new())),
            (
                "a door=rtp://127.0.0.1:5004",
                AddressFault::Name("a door".to_owned()),
            ),
            (
                "door=rtp://127.0.0.1:5004?codec=av1",
                AddressFault::Codec("av1".to_owned()),
            ),
            ("door=rtp://127.0.0.1:5004?label=", AddressFault::Label),
            (
                "door=rtp://127.0.0.1:5004?rate=30",
                AddressFault::Option("rate".to_owned()),
            ),
        ] {
            assert_eq!(camera(text), Err(fault), "{text}");
        }
    }
}
