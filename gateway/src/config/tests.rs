//! Which source wins, what is refused, and that every refusal names its key.

use super::*;

fn load(overrides: &Overrides, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let environment = environment
        .iter()
        .map(|(name, value)| (OsString::from(name), OsString::from(value)));
    Config::from(overrides, environment)
}

fn with_file(text: &str) -> (tempfile::TempDir, Overrides) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nooterra.toml");
    fs::write(&path, text).unwrap();
    let overrides = Overrides {
        config: Some(path),
        ..Overrides::default()
    };
    (folder, overrides)
}

#[test]
fn with_nothing_configured_everything_is_on_this_machine_only() {
    let config = load(&Overrides::default(), &[]).unwrap();

    assert_eq!(config.listen, LISTEN);
    assert_eq!(config.public_url, "http://localhost:8420");
    assert_eq!(config.media.bind.to_string(), "127.0.0.1:8421");
    assert_eq!(config.media.advertise, [IpAddr::V4(Ipv4Addr::LOCALHOST)]);
    assert!(!config.is_tls() && !config.is_demo);
    assert!(config.database_url.is_none() && config.redis_url.is_none());
    assert_eq!(config.acts_per_minute.get(), 1_200);
}

#[test]
fn the_command_line_overrides_the_environment_which_overrides_the_file() {
    let (_folder, mut overrides) = with_file(
        "listen = \"127.0.0.1:1\"\npublic_url = \"https://file.example\"\n[media]\nport = 2\n\
         [limits]\nacts_per_minute = 60000\n",
    );
    overrides.listen = Some("127.0.0.1:3".to_owned());

    let config = load(
        &overrides,
        &[
            ("NOOTERRA_LISTEN", "127.0.0.1:4"),
            ("NOOTERRA_MEDIA_PORT", "5"),
            ("HOME", "/nowhere"),
        ],
    )
    .unwrap();

    assert_eq!(config.listen.port(), 3);
    assert_eq!(config.media.bind.port(), 5);
    assert_eq!(config.public_url, "https://file.example");
    assert_eq!(config.acts_per_minute.get(), 60_000);
}

#[test]
fn the_environment_may_name_the_file_and_paths_in_it_are_beside_it() {
    let (folder, overrides) = with_file("data_dir = \"kept\"\nmedia.advertise = [\"10.0.0.1\"]");
    let path = overrides.config.unwrap();

    let config = load(
        &Overrides::default(),
        &[("NOOTERRA_CONFIG", path.to_str().unwrap())],
    )
    .unwrap();

    assert_eq!(config.data_dir, folder.path().join("kept"));
    assert_eq!(
        config.media.advertise,
        ["10.0.0.1".parse::<IpAddr>().unwrap()]
    );
}

#[test]
fn an_unknown_key_is_refused_by_name() {
    for (file, environment, named) in [
        ("lisen = \"127.0.0.1:1\"", None, "`lisen`"),
        ("[tls]\ncertficate = \"x\"", None, "`tls.certficate`"),
        ("[media.bind]\nip = \"x\"", None, "`media.bind`"),
        ("", Some(("NOOTERRA_LISEN", "x")), "`NOOTERRA_LISEN`"),
    ] {
        let (_folder, overrides) = with_file(file);
        let environment: Vec<_> = environment.into_iter().collect();

        let message = load(&overrides, &environment).unwrap_err().to_string();

        assert!(message.contains(named), "{message}");
    }
}

#[test]
fn an_ill_formed_value_is_refused_by_key_and_source() {
    for (name, value, key) in [
        ("NOOTERRA_LISTEN", "8420", "listen"),
        ("NOOTERRA_MEDIA_PORT", "70000", "media.port"),
        ("NOOTERRA_MEDIA_BIND", "eth0", "media.bind"),
        ("NOOTERRA_MEDIA_ADVERTISE", "10.0.0.1,x", "media.advertise"),
        ("NOOTERRA_TLS_GENERATED", "perhaps", "tls.generated"),
        ("NOOTERRA_PUBLIC_URL", "https://a.example/b", "public_url"),
        ("NOOTERRA_PUBLIC_URL", "http://a.example", "public_url"),
        (
            "NOOTERRA_LIMITS_ACTS_PER_MINUTE",
            "0",
            "limits.acts_per_minute",
        ),
        (
            "NOOTERRA_LIMITS_ACTS_PER_MINUTE",
            "many",
            "limits.acts_per_minute",
        ),
        ("NOOTERRA_LOG_FORMAT", "xml", "log.format"),
        ("NOOTERRA_LOG_FILTER", "gateway=loud", "log.filter"),
        ("DATABASE_URL", "mysql://x", "database_url"),
        ("REDIS_URL", "localhost", "redis_url"),
    ] {
        let message = load(&Overrides::default(), &[(name, value)])
            .unwrap_err()
            .to_string();

        assert!(message.contains(&format!("`{key}`")), "{message}");
        assert!(message.contains(name), "{message}");
    }
}

#[test]
fn a_table_where_one_value_belongs_is_refused_by_key() {
    let (_folder, overrides) = with_file("listen = [\"127.0.0.1:1\"]");

    let message = load(&overrides, &[]).unwrap_err().to_string();

    assert!(message.contains("`listen`"), "{message}");
}

#[test]
fn passwords_in_addresses_are_never_shown() {
    let good = load(
        &Overrides::default(),
        &[("DATABASE_URL", "postgres://app:lemon@db/nooterra")],
    );
    let bad = load(
        &Overrides::default(),
        &[("DATABASE_URL", "mysql://app:lemon@db/nooterra")],
    );

    let good = good.unwrap();
    assert!(!format!("{good:?}").contains("lemon"));
    assert!(good.database_url.unwrap().expose().contains("lemon"));
    assert!(!format!("{:?}", bad.unwrap_err()).contains("lemon"));
}

#[test]
fn plain_http_beyond_this_machine_is_refused() {
    let listen = |address: &str| Overrides {
        listen: Some(address.to_owned()),
        ..Overrides::default()
    };

    for address in ["0.0.0.0:8420", "[::]:8420", "192.0.2.7:8420"] {
        let message = load(&listen(address), &[]).unwrap_err().to_string();
        assert!(message.contains("`listen`"), "{message}");
        assert!(message.contains("tls.generated"), "{message}");
    }
    assert!(load(&listen("[::1]:8420"), &[]).is_ok());
    let config = load(
        &listen("192.0.2.7:8420"),
        &[("NOOTERRA_TLS_GENERATED", "true")],
    )
    .unwrap();
    assert_eq!(config.public_url, "https://192.0.2.7:8420");
    assert!(config.names().contains(&"192.0.2.7".to_owned()));
}

#[test]
fn half_a_certificate_and_two_certificates_are_refused() {
    for environment in [
        &[("NOOTERRA_TLS_CERTIFICATE", "a.pem")][..],
        &[("NOOTERRA_TLS_KEY", "a.pem")],
        &[
            ("NOOTERRA_TLS_CERTIFICATE", "a.pem"),
            ("NOOTERRA_TLS_KEY", "b.pem"),
            ("NOOTERRA_TLS_GENERATED", "true"),
        ],
    ] {
        let refused = load(&Overrides::default(), environment);

        assert!(
            matches!(refused, Err(ConfigError::Contradiction(_))),
            "{environment:?}"
        );
    }
}

#[test]
fn the_public_address_follows_the_port_that_was_taken_unless_it_was_given() {
    let overrides = Overrides {
        listen: Some("127.0.0.1:0".to_owned()),
        ..Overrides::default()
    };
    let mut free = load(&overrides, &[]).unwrap();
    let mut given = load(
        &overrides,
        &[("NOOTERRA_PUBLIC_URL", "https://fleet.example/")],
    )
    .unwrap();

    free.listening_on("127.0.0.1:4711".parse().unwrap());
    given.listening_on("127.0.0.1:4711".parse().unwrap());

    assert_eq!(free.public_url, "http://localhost:4711");
    assert_eq!(given.public_url, "https://fleet.example");
}
