//! Where an administrator's wishes are worked on: the database of a data directory, whether a gateway runs on it or not.

use std::{path::PathBuf, time::Duration};

use identity::{Name, Organisation, Secret, SecretKind, Site};
use spine::{Signer, Tx};
use sqlx::{PgPool, postgres::PgPoolOptions};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::{
    app::Clock,
    config::{Config, SecretUrl},
    embedded::{Embedded, RunFile, Wanted},
};

use super::{InOrganisation, error::AdminError};

/// One administrator works on one thing at a time; a second connection serves look-ups inside a transaction.
const CONNECTIONS: u32 = 2;

/// A database on this machine answers at once, one on the network within a round trip or two.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// What every task needs.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) pool: PgPool,
    pub(super) signer: Signer,
    pub(super) clock: Clock,
    pub(super) public_url: String,
    pub(super) data_dir: PathBuf,
}

/// Opens the desk: on the configured database, on that of the gateway that runs in the data directory, or on a private one
/// that is started for the while and comes back to be stopped.
pub(super) async fn open(config: &Config) -> Result<(Desk, Option<Embedded>), AdminError> {
    let running = RunFile::load(&config.data_dir);
    let public_url = running
        .as_ref()
        .map_or_else(|| config.public_url.clone(), |running| running.url.clone());
    let given = config.database_url.as_ref().map(SecretUrl::expose);
    let key = config.data_dir.join(Signer::FILE_NAME);
    if given.is_some() && !key.exists() {
        // Made here, it would be another key than the one that signs this database's log.
        return Err(AdminError::Unclear(format!(
            "{} is not there: name the gateway's own data directory with --data, or start the gateway once first",
            key.display()
        )));
    }
    let theirs = running
        .as_ref()
        .map(|running| running.database_url.as_str());
    if let Some(url) = given.or(theirs) {
        let pool = connect(url).await?;
        return Ok((desk(config, pool, public_url)?, None));
    }
    let servers = Embedded::start(&config.data_dir, Wanted::POSTGRES).await?;
    let opened = migrate_and_connect(&servers).await;
    match opened.and_then(|pool| desk(config, pool, public_url)) {
        Ok(desk) => Ok((desk, Some(servers))),
        Err(error) => {
            servers.stop().await?;
            Err(error)
        }
    }
}

async fn migrate_and_connect(servers: &Embedded) -> Result<PgPool, AdminError> {
    let urls = servers
        .database()
        .ok_or_else(|| AdminError::Unclear("the private database has no address".to_owned()))?;
    let owner = connect(urls.owner.expose()).await?;
    spine::MIGRATOR.run(&owner).await?;
    owner.close().await;
    Ok(connect(urls.app.expose()).await?)
}

fn desk(config: &Config, pool: PgPool, public_url: String) -> Result<Desk, AdminError> {
    Ok(Desk {
        pool,
        signer: Signer::load_or_create(&config.data_dir.join(Signer::FILE_NAME))?,
        clock: Clock::default(),
        public_url,
        data_dir: config.data_dir.clone(),
    })
}

async fn connect(url: &str) -> Result<PgPool, sqlx::Error> {
    PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(CONNECT_WITHIN)
        .connect(url)
        .await
}

impl Desk {
    pub(super) async fn close(self) {
        self.pool.close().await;
    }

    pub(super) fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    pub(super) fn begin(&self) -> Tx {
        Tx::begin(&self.pool)
    }

    pub(super) async fn commit(&self, tx: Tx) -> Result<(), AdminError> {
        tx.commit(&self.signer, self.clock.micros()).await?;
        Ok(())
    }

    /// The address that a person opens to sign in. The secret stands behind the `#`: browsers don't send that part.
    pub(super) fn sign_in_url(&self, link: &Secret) -> String {
        format!("{}/sign-in#link={}", self.public_url, link.expose())
    }

    /// The organisation that is meant: the one that is named, or the only one.
    pub(super) async fn organisation(
        &self,
        wanted: &InOrganisation,
    ) -> Result<Organisation, AdminError> {
        if let Some(name) = &wanted.organisation {
            return identity::store::find_organisation(&self.pool, name)
                .await?
                .ok_or_else(|| AdminError::Unclear(format!("there is no organisation {name:?}")));
        }
        let mut all = identity::store::list_organisations(&self.pool).await?;
        match (all.pop(), all.len()) {
            (Some(only), 0) => Ok(only),
            (None, _) => Err(AdminError::Unclear(
                "there is no organisation yet: nooterra admin organisation add NAME".to_owned(),
            )),
            (Some(_), _) => Err(AdminError::Unclear(
                "there are several organisations: say which with --organisation NAME".to_owned(),
            )),
        }
    }

    /// The organisation's site of this name.
    pub(super) async fn site(
        &self,
        organisation: &Organisation,
        name: &str,
    ) -> Result<Site, AdminError> {
        identity::store::find_site(&self.pool, organisation.organisation, name)
            .await?
            .ok_or_else(|| {
                AdminError::Unclear(format!(
                    "{} has no site {name:?}: nooterra admin site add {name:?}",
                    organisation.name
                ))
            })
    }
}

/// A name that was typed.
pub(super) fn named(text: &str) -> Result<Name, AdminError> {
    Name::parse(text).map_err(|refusal| AdminError::Refused {
        wish: format!("{text:?}"),
        refusal,
    })
}

/// A fresh secret.
pub(super) fn secret(kind: SecretKind) -> Result<Secret, AdminError> {
    let mut random = Zeroizing::new([0; 32]);
    getrandom::fill(random.as_mut())?;
    Ok(Secret::new(kind, &random))
}
