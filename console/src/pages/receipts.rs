//! What a robot said of what was asked of it, newest first; and of each word what the person saw when they asked.

mod one;

use std::{sync::Arc, time::Duration};

use leptos::{prelude::*, task::spawn_local};
use protocol::{
    RobotId,
    robot::Advert,
    views::{Page, Problem, ReceiptSaid, ReceiptView},
};

use self::one::opened as draw_opened;
use super::request::desk::on_connection;
use crate::{
    api,
    live::{commands::micros_of, engine::Live, reduce::Input},
    parts::{
        icon::{Glyph, large, of_shape, small},
        refusal::Refusal,
    },
    receipt::ReceiptFace,
    route::Route,
    words,
};

/// Receipts that are asked for at once.
const ROWS: u32 = 100;

/// Pages that are asked for by themselves while all that came is smooth driving: a quarter of an hour of it.
const SMOOTH_PAGES: u32 = 9;

/// What is newer is asked for so often.
const EVERY: Duration = Duration::from_secs(3);

/// What was read of the list.
#[derive(Clone, Copy)]
struct Receipts {
    live: Live,
    robot: RobotId,
    /// Newest first; none until the first page came.
    list: RwSignal<Option<Vec<Arc<ReceiptView>>>>,
    more: RwSignal<Option<String>>,
    /// Pages that came by themselves.
    smooth_pages: StoredValue<u32>,
    chosen: RwSignal<Option<u64>>,
    has_every_second: RwSignal<bool>,
    /// What the address names, and is not there.
    missing: RwSignal<Option<u64>>,
    problem: RwSignal<Option<Problem>>,
}

/// Whether a word is worth a line where not every second of driving is listed.
fn is_eventful(receipt: &ReceiptView) -> bool {
    match &receipt.said {
        ReceiptSaid::Drive(segment) => segment.clamp.is_some() || segment.disarmed.is_some(),
        ReceiptSaid::Command(_) | ReceiptSaid::Stop { .. } => true,
    }
}

impl Receipts {
    fn ask(self, cursor: Option<String>) {
        let is_first = cursor.is_none();
        let cursor = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
        let path = format!(
            "/api/v1/robots/{}/receipts?limit={ROWS}{cursor}",
            self.robot
        );
        spawn_local(async move {
            match api::get::<Page<ReceiptView>>(&path).await {
                Ok(page) => self.take(page, is_first),
                Err(problem) => {
                    let _set = self.problem.try_set(Some(problem));
                }
            }
        });
    }

    /// Asks for the one that the address names, which may be older than the first page.
    fn ask_one(self, number: u64) {
        let cursor = number.saturating_add(1);
        let path = format!(
            "/api/v1/robots/{}/receipts?limit=1&cursor={cursor}",
            self.robot
        );
        spawn_local(async move {
            match api::get::<Page<ReceiptView>>(&path).await {
                Ok(page) if page.items.iter().any(|item| item.number == number) => {
                    self.merge(page.items);
                }
                Ok(_another) => {
                    let _set = self.missing.try_set(Some(number));
                }
                Err(problem) => {
                    let _set = self.problem.try_set(Some(problem));
                }
            }
        });
    }

    fn take(self, page: Page<ReceiptView>, is_first: bool) {
        let newest = (self.list).try_with_untracked(|list| {
            list.as_ref().map(|list| list.first().map(|one| one.number))
        });
        let Some(known) = newest else { return };
        let oldest = page.items.last().map(|item| item.number);
        // After a while without a link what came meanwhile may be more than a page: the list begins anew, without a hole in it.
        let has_hole = is_first
            && page.next.is_some()
            && known
                .flatten()
                .is_some_and(|newest| oldest.is_some_and(|oldest| oldest > newest));
        if has_hole {
            self.list.set(None);
        }
        // The first page, asked for again, must not take back what was shown of later ones.
        if !is_first || known.is_none() || has_hole {
            let _set = self.more.try_set(page.next.clone());
        }
        self.merge(page.items);
        let _set = self.problem.try_set(None);
        let has_nothing = untrack(|| self.shown().is_empty());
        if has_nothing
            && let Some(cursor) = page.next
            && self
                .smooth_pages
                .try_get_value()
                .is_some_and(|pages| pages < SMOOTH_PAGES)
        {
            self.smooth_pages.update_value(|pages| *pages += 1);
            self.ask(Some(cursor));
        }
    }

    fn merge(self, items: Vec<ReceiptView>) {
        let _merged = self.list.try_update(|list| {
            let list = list.get_or_insert_default();
            for item in items {
                // By place, newest first. One that is known may have got its picture since.
                match list.binary_search_by(|known| item.number.cmp(&known.number)) {
                    Ok(place) => {
                        if *list[place] != item {
                            list[place] = Arc::new(item);
                        }
                    }
                    Err(place) => list.insert(place, Arc::new(item)),
                }
            }
        });
    }

    fn shown(self) -> Vec<Arc<ReceiptView>> {
        let has_every_second = self.has_every_second.get();
        self.list.with(|list| {
            let list = list.iter().flatten();
            list.filter(|receipt| has_every_second || is_eventful(receipt))
                .cloned()
                .collect()
        })
    }

    fn advert(self) -> Option<Arc<Advert>> {
        self.live
            .peek(|model| model.robot(self.robot)?.advert.clone())
    }

    fn face(self, receipt: &ReceiptView) -> ReceiptFace {
        let advert = self.advert();
        ReceiptFace::of(
            receipt,
            advert.as_ref().and_then(|advert| advert.map.as_ref()),
        )
    }
}

/// The list of a robot's words, and the one that was chosen.
#[component]
pub(crate) fn ReceiptsPage(id: RobotId, number: Option<u64>) -> impl IntoView {
    document().set_title("Receipts · Nooterra");
    let live = expect_context::<Live>();
    let receipts = Receipts {
        live,
        robot: id,
        list: RwSignal::new(None),
        more: RwSignal::new(None),
        chosen: RwSignal::new(number),
        smooth_pages: StoredValue::new(0),
        has_every_second: RwSignal::new(false),
        missing: RwSignal::new(None),
        problem: RwSignal::new(None),
    };
    // The bar stops the robot that is on the page.
    Effect::new(move |_| live.tell(Input::Select(Some(id))));
    on_connection(live, move || receipts.ask(None));
    if let Some(number) = number {
        receipts.ask_one(number);
    }
    // A browser that gives no timer shows what there was when the page was opened.
    if let Ok(handle) = set_interval_with_handle(move || receipts.ask(None), EVERY) {
        on_cleanup(move || handle.clear());
    }
    let shown = Memo::new(move |_| receipts.shown());
    let opened = Memo::new(move |_| {
        let chosen = receipts.chosen.get();
        let of_list = receipts.list.with(|list| {
            let mut list = list.iter().flatten();
            list.find(|receipt| Some(receipt.number) == chosen).cloned()
        });
        of_list.or_else(|| {
            shown
                .with(|shown| shown.first().cloned())
                .filter(|_| chosen.is_none())
        })
    });
    view! {
        <div class="cases receipts">
            <section class="panel" aria-labelledby="receipts-title">
                <Head receipts />
                <div class="cases__list">
                    <For
                        each=move || shown.get()
                        key=|receipt| receipt.number
                        children=move |receipt| row(receipts, opened, &receipt)
                    />
                    <Rest receipts shown />
                </div>
            </section>
            <div class="cases__one">
                <Refusal problem=receipts.problem />
                {move || missing(receipts)}
                {move || opened.get().map(|receipt| draw_opened(receipts, &receipt))}
            </div>
        </div>
    }
}

/// Says that what the address names is not there.
fn missing(receipts: Receipts) -> Option<impl IntoView> {
    let number = receipts
        .missing
        .get()
        .filter(|number| receipts.chosen.get() == Some(*number))?;
    Some(view! {
        <div class="empty">
            {large(Glyph::List)}
            <b>"No such receipt"</b>
            <p class="soft">{format!("Place {number} of this robot's stream holds none.")}</p>
        </div>
    })
}

#[component]
fn Head(receipts: Receipts) -> impl IntoView {
    let id = receipts.robot;
    let name = move || {
        receipts
            .live
            .read(|model| Some(model.robot(id)?.view.name.clone()))
    };
    view! {
        <header>
            <h1 id="receipts-title" class="cases__title">
                "Receipts"
            </h1>
            <a class="soft ellipsis" href=Route::Robot(id).to_string()>
                {name}
            </a>
            <span class="grow"></span>
            <label class="check line--small">
                <input
                    type="checkbox"
                    prop:checked=receipts.has_every_second
                    on:change=move |event| {
                        receipts.has_every_second.set(event_target_checked(&event));
                    }
                />
                "Every second driven"
            </label>
        </header>
    }
}

fn row(
    receipts: Receipts,
    opened: Memo<Option<Arc<ReceiptView>>>,
    receipt: &ReceiptView,
) -> impl IntoView + use<> {
    let number = receipt.number;
    let face = receipts.face(receipt);
    let is_opened = move || {
        opened.with(|opened| {
            opened
                .as_ref()
                .is_some_and(|opened| opened.number == number)
        })
    };
    view! {
        <button
            data-testid="receipt"
            aria-current=move || is_opened().then_some("true")
            on:click=move |_| receipts.chosen.set(Some(number))
        >
            <span class=face.tone.class()>{small(of_shape(face.shape))}</span>
            <span class="ellipsis">{face.what}</span>
            <time class="number faint">{words::clock(micros_of(receipt.recorded_at))}</time>
            <span class="line line--small">
                <span class="ellipsis">{face.outcome}</span>
                <span class="grow"></span>
                <span class="ellipsis">{face.by}</span>
            </span>
        </button>
    }
}

#[component]
fn Rest(receipts: Receipts, shown: Memo<Vec<Arc<ReceiptView>>>) -> impl IntoView {
    move || {
        if receipts.list.with(Option::is_none) {
            let waiting = receipts.problem.with(Option::is_none).then(|| {
                view! {
                    <div class="board__loading" aria-busy="true" aria-label="Loading receipts">
                        {(0..4).map(|_| view! { <span class="skeleton"></span> }).collect_view()}
                    </div>
                }
            });
            return Some(waiting.into_any());
        }
        if let Some(cursor) = receipts.more.get() {
            let more = move |_| receipts.ask(Some(cursor.clone()));
            let is_smooth = shown.with(Vec::is_empty).then(|| {
                view! {
                    <p class="soft cases__hint">
                        "Nothing but driving so far, with nothing in its way. Every second of it is listed with the mark above."
                    </p>
                }
            });
            return Some(
                view! {
                    {is_smooth}
                    <button class="cases__more" on:click=more>
                        "Show more"
                    </button>
                }
                .into_any(),
            );
        }
        shown.with(Vec::is_empty).then(|| {
            view! {
                <div class="empty">
                    {large(Glyph::List)}
                    <b>"No receipts yet"</b>
                    <p class="soft">
                        "What this robot makes of commands, of being driven and of its stop button appears here, signed by the robot."
                    </p>
                </div>
            }
            .into_any()
        })
    }
}
