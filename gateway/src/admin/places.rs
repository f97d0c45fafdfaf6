//! `admin organisation …` and `admin site …`.

use std::io;

use clap::Subcommand;
use identity::store;
use protocol::{OrganisationId, SiteId};
use uuid::Uuid;

use super::{
    InOrganisation,
    desk::{Desk, named},
    error::AdminError,
    safety::{self, SafetyTask},
    table::table,
    trust::{self, OfflineTask, TrustTask},
};

#[derive(Debug, Subcommand)]
pub(super) enum OrganisationTask {
    /// Adds an organisation
    Add {
        /// What it is called
        name: String,
    },
    /// Lists all organisations
    List,
    #[command(flatten)]
    Offline(OfflineTask),
    #[command(flatten)]
    Safety(SafetyTask),
    #[command(flatten)]
    Trust(TrustTask),
}

#[derive(Debug, Subcommand)]
pub(super) enum SiteTask {
    /// Adds a site
    Add {
        /// What it is called
        name: String,
        #[command(flatten)]
        within: InOrganisation,
    },
    /// Lists an organisation's sites
    List {
        #[command(flatten)]
        within: InOrganisation,
    },
}

pub(super) async fn organisation(
    desk: &Desk,
    task: OrganisationTask,
) -> Result<String, AdminError> {
    match task {
        OrganisationTask::Add { name } => {
            let name = named(&name)?;
            let id = OrganisationId(Uuid::now_v7());
            let mut tx = desk.begin();
            store::create_organisation(&mut tx, id, &name, desk.now())
                .await
                .map_err(AdminError::of(format!("organisation {name}")))?;
            desk.commit(tx).await?;
            Ok(format!("{id}\n"))
        }
        OrganisationTask::List => {
            let all = store::list_organisations(&desk.pool).await?;
            let rows = all
                .into_iter()
                .map(|one| [one.organisation.to_string(), one.name]);
            Ok(table(["ID", "NAME"], rows))
        }
        OrganisationTask::Offline(task) => trust::offline(task, &mut io::stderr()),
        OrganisationTask::Safety(task) => safety::offline(task, &mut io::stderr()),
        OrganisationTask::Trust(task) => trust::online(desk, task, &mut io::stderr()).await,
    }
}

pub(super) async fn site(desk: &Desk, task: SiteTask) -> Result<String, AdminError> {
    match task {
        SiteTask::Add { name, within } => {
            let organisation = desk.organisation(&within).await?.organisation;
            let name = named(&name)?;
            let id = SiteId(Uuid::now_v7());
            let mut tx = desk.begin();
            store::create_site(&mut tx, organisation, id, &name, None, desk.now())
                .await
                .map_err(AdminError::of(format!("site {name}")))?;
            desk.commit(tx).await?;
            Ok(format!("{id}\n"))
        }
        SiteTask::List { within } => {
            let organisation = desk.organisation(&within).await?.organisation;
            let sites = store::list_sites(&desk.pool, organisation).await?;
            let rows = sites
                .into_iter()
                .map(|site| [site.site.to_string(), site.name]);
            Ok(table(["ID", "NAME"], rows))
        }
    }
}
