//! After a commit: who sees the job hears of it, and the robots that it concerns.

use protocol::{
    JobId, RobotId,
    robot_socket::ToRobot,
    views::{AssistView, JobView},
};

use crate::{app::App, error::ApiError};

/// What to tell once the transaction is committed.
#[derive(Debug, Default)]
pub struct News {
    /// The jobs as they stand now.
    pub jobs: Vec<JobView>,
    /// The calls for help as they stand now.
    pub calls: Vec<AssistView>,
    /// What robots are to do from now on.
    pub robots: Vec<(RobotId, ToRobot)>,
}

impl News {
    /// Tells everybody. A robot that is not here hears it when it comes back.
    pub fn tell(self, app: &App) {
        for (robot, frame) in self.robots {
            if app.live.order(robot, frame).is_err() {
                tracing::debug!(robot.id = %robot, "a robot that is away hears of its job later");
            }
        }
        for view in &self.jobs {
            app.live.job(view);
        }
        for view in &self.calls {
            app.live.assist(view);
        }
    }
}

/// Says anew how a job stands, after something beside it changed. Worth no failure: the next event says it too.
pub async fn tell_job(app: &App, job: JobId) {
    let said = async {
        let stored = jobs::store::peek(&app.pool, job).await?;
        let stored = stored.ok_or_else(|| ApiError::not_found("job"))?;
        super::views::view(app, &stored).await
    };
    match said.await {
        Ok(view) => app.live.job(&view),
        Err(error) => tracing::debug!(job.id = %job, code = error.code(), "consoles see it later"),
    }
}
