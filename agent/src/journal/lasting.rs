//! What has to stay in the journal's file although the gateway holds it: what a restart would otherwise forget.

use std::collections::{BTreeMap, VecDeque};

use protocol::{
    CommandId, JobId,
    command::{Outcome, Receipt},
    event::{ActorEvent, Payload},
    job::{ForfeitReason, JobEvent},
};

use crate::work::said::{Said, epoch_of};

/// Orders that may be open at once. A driver has two at most, a drive and the stop that ends it; one that owes more
/// endings than this will never give them.
const MAX_OPEN: usize = 64;

/// An event in the form that the file has.
#[derive(Debug, Clone)]
struct Record {
    number: u64,
    sealed: Vec<u8>,
}

/// An order that the robot accepted and whose end it has not told.
#[derive(Debug)]
struct OpenOrder {
    command: CommandId,
    acceptance: Record,
}

/// The robot's words on its latest job.
#[derive(Debug)]
struct Job {
    said: Said,
    /// The latest of each kind, by its name: no more is needed to know what was said.
    records: BTreeMap<&'static str, Record>,
}

/// Open orders, and the latest job.
#[derive(Debug, Default)]
pub(super) struct Lasting {
    open: VecDeque<OpenOrder>,
    job: Option<Job>,
}

impl Lasting {
    /// Adds the robot's next event.
    pub(super) fn take_in(&mut self, number: u64, event: &ActorEvent, sealed: &[u8]) {
        let record = || Record {
            number,
            sealed: sealed.to_vec(),
        };
        match &event.payload {
            Payload::CommandReceipt(receipt) => self.receipt(receipt, record()),
            Payload::Job(job_event) => {
                let job = event.stream.strip_prefix("job/").map(str::parse);
                if let Some(Ok(job)) = job {
                    self.job_event(job, job_event, record());
                }
            }
            // A robot says nothing else.
            Payload::OrganisationCreated { .. }
            | Payload::SiteCreated { .. }
            | Payload::GatewayStarted { .. }
            | Payload::PersonAdded { .. }
            | Payload::RoleGranted { .. }
            | Payload::RoleRevoked { .. }
            | Payload::SessionOpened { .. }
            | Payload::SessionClosed { .. }
            | Payload::TokenIssued { .. }
            | Payload::TokenRevoked { .. }
            | Payload::RobotAdded { .. }
            | Payload::RobotTokenIssued { .. }
            | Payload::RobotTokenRevoked { .. }
            | Payload::RobotKeyBound { .. }
            | Payload::CommandIssued { .. }
            | Payload::CommandUnanswered { .. }
            | Payload::SessionKeyBound { .. }
            | Payload::SessionKeyEnded { .. }
            | Payload::Drive(_)
            | Payload::Case(_)
            | Payload::Control(_)
            | Payload::Grant(_) => {}
        }
    }

    fn receipt(&mut self, receipt: &Receipt, acceptance: Record) {
        self.open.retain(|order| order.command != receipt.command);
        if receipt.outcome == Outcome::Accepted {
            if self.open.len() == MAX_OPEN {
                self.open.pop_front();
            }
            self.open.push_back(OpenOrder {
                command: receipt.command,
                acceptance,
            });
        }
    }

    fn job_event(&mut self, id: JobId, event: &JobEvent, record: Record) {
        let is_of_another = matches!(
            event,
            JobEvent::ReservationForfeited {
                reason: ForfeitReason::Busy,
                ..
            }
        );
        let Some(epoch) = epoch_of(event).filter(|_| !is_of_another) else {
            return;
        };
        let known = self.job.take().filter(|job| job.said.is_of(id, epoch));
        let mut job = known.unwrap_or(Job {
            said: Said::nothing(id, epoch),
            records: BTreeMap::new(),
        });
        job.said.note(record.number, event);
        job.records.insert(event.kind(), record);
        self.job = Some(job);
    }

    /// Orders that were accepted and whose end was not told, oldest first.
    pub(super) fn open_orders(&self) -> Vec<CommandId> {
        self.open.iter().map(|order| order.command).collect()
    }

    /// What was said of the latest job.
    pub(super) fn said(&self) -> Option<Said> {
        self.job.as_ref().map(|job| job.said)
    }

    /// The records to keep, oldest first.
    pub(super) fn records(&self) -> Vec<&[u8]> {
        let orders = self.open.iter().map(|order| &order.acceptance);
        let words = self.job.iter().flat_map(|job| job.records.values());
        let by_number: BTreeMap<u64, &[u8]> = orders
            .chain(words)
            .map(|record| (record.number, record.sealed.as_slice()))
            .collect();
        by_number.into_values().collect()
    }
}
