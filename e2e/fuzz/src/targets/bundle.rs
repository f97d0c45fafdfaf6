//! A bundle as somebody hands it on: whatever its bytes are, it is intact only if it is the very one that the gateway exported.

use std::sync::LazyLock;

use ed25519_dalek::SigningKey;
use ledger::{
    bundle::{Attachment, AttachmentName, Parts, ProvedEntry, write},
    log::NoteKey,
    verify::{Trust, Verdict, verify},
};
use protocol::{CaseId, EvidenceId, JobId, OrganisationId, UnixMicros};
use uuid::Uuid;

use crate::{
    Seed, Target, golden,
    input::{Input, block},
};

pub(crate) const TARGET: Target = Target {
    name: "bundle",
    run,
    seeds,
    longest: 16_384,
};

static GOLDEN: LazyLock<Vec<u8>> = LazyLock::new(golden::bundle);

/// The keys that the golden bundle was made with.
static TRUST: LazyLock<Trust> = LazyLock::new(|| Trust {
    gateway: vec![gateway().verifying_key()],
    log: vec![NoteKey::new("log.example/linden", key(2).verifying_key()).unwrap()],
    ..Trust::default()
});

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn gateway() -> SigningKey {
    key(1)
}

fn run(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    if input.coin() {
        return judge(input.rest());
    }
    // What a gateway that makes things up would export: signed by its own key, and proven by nothing.
    let Ok(file) = write(parts(&mut input), &gateway()) else {
        return false;
    };
    assert_ne!(verify(&file, &TRUST, &mut []).verdict, Verdict::Intact);
    true
}

fn judge(file: &[u8]) -> bool {
    let is_golden = file == GOLDEN.as_slice();
    let trusted = verify(file, &TRUST, &mut []).verdict;
    let unchecked = verify(file, &Trust::default(), &mut []).verdict;
    assert_eq!(trusted == Verdict::Intact, is_golden, "under trusted keys");
    assert_ne!(unchecked, Verdict::Intact, "without a key that is trusted");
    is_golden
}

fn parts(input: &mut Input<'_>) -> Parts {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let id = |input: &mut Input<'_>| Uuid::from_u128(input.byte().into());
    let about = ledger::bundle::About {
        organisation: OrganisationId(id(input)),
        job: JobId(id(input)),
        cases: (0..input.byte() % 3).map(|_| CaseId(id(input))).collect(),
    };
    let (checkpoint, log_key) = (text(input.block()), text(input.block()));
    let older_gateway_keys = (0..input.byte() % 3)
        .map(|_| key(input.byte()).verifying_key())
        .collect();
    let entries = (0..input.byte() % 4).map(|_| entry(input)).collect();
    let attachments = (0..input.byte() % 3).map(|_| attachment(input)).collect();
    Parts {
        about,
        exported_at: UnixMicros(i64::from(input.i32())),
        older_gateway_keys,
        log_key,
        checkpoint,
        entries,
        attachments,
    }
}

fn entry(input: &mut Input<'_>) -> ProvedEntry {
    use ledger::bundle::Part;
    let parts = [Part::Job, Part::Case, Part::Binding];
    ProvedEntry {
        part: parts[usize::from(input.byte() % 3)],
        stream: String::from_utf8_lossy(input.block()).into_owned(),
        stream_number: input.u64(),
        leaf_index: input.u64(),
        sealed: input.block().to_vec(),
        proof: (0..input.byte() % 70).map(|_| [input.byte(); 32]).collect(),
    }
}

fn attachment(input: &mut Input<'_>) -> Attachment {
    let case = CaseId(Uuid::from_u128(input.byte().into()));
    let evidence = EvidenceId(Uuid::from_u128(input.byte().into()));
    let names = [
        AttachmentName::Words { case },
        AttachmentName::Reason { case },
        AttachmentName::Picture { case, evidence },
        AttachmentName::Evidence { evidence },
    ];
    Attachment {
        name: names[usize::from(input.byte() % 4)],
        media_type: String::from_utf8_lossy(input.block()).into_owned(),
        salt: [input.byte(); 32],
        content: input.block().to_vec(),
    }
}

fn seeds() -> Vec<Seed> {
    let whole = [&[1], &GOLDEN[..]].concat();
    let mut seeds = vec![
        Seed::new("whole", whole.clone()),
        Seed::new("cut", &whole[..whole.len() / 2]),
        Seed::new("twice", [&whole[..], &GOLDEN].concat()),
    ];
    let sealed = golden::sealed_as();
    let (_, _, sealed) = sealed.iter().find(|(name, ..)| name == "entry").unwrap();
    let mut made = vec![0, 1, 2, 1, 3];
    made.extend(block(b"log.example/linden\n9\nAAAA\n"));
    made.extend(block(b"log.example/linden+0a1b2c3d+AQ=="));
    made.extend([0, 1, 0]);
    made.extend(block(b"job/00000000-0000-0000-0000-000000000002"));
    made.extend([1, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
    made.extend(block(sealed));
    made.extend([2, 7, 7, 1, 3, 8, 0]);
    made.extend(block(b"text/plain"));
    made.push(9);
    made.extend(block(b"The vase broke."));
    seeds.push(Seed::new("made up", made));
    seeds
}
