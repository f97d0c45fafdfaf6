//! Checking a bundle, without anything leaving this computer: the same code as the gateway's command, in this tab.

mod bundle;
mod checking;
mod explained;
mod kept;
mod pasting;
mod steps;
mod trusted;

use leptos::{ev::DragEvent, prelude::*};

use bundle::BundlePanel;
use checking::Checking;
use explained::Explained;
use kept::KeptPanel;
use steps::{Banner, Steps};
use trusted::Trusted;

/// The page that checks a bundle.
#[component]
pub(crate) fn VerifyPage() -> impl IntoView {
    document().set_title("Verify · Nooterra");
    let checking = Checking::new();
    let is_over = RwSignal::new(false);
    let over = move |event: DragEvent| {
        // Else the browser would open the file in place of the page.
        event.prevent_default();
        is_over.set(true);
    };
    let dropped = move |event: DragEvent| {
        event.prevent_default();
        is_over.set(false);
        let files = event.data_transfer().and_then(|data| data.files());
        if let Some(file) = files.and_then(|files| files.get(0)) {
            checking.choose(file);
        }
    };
    view! {
        <div
            class="verify"
            class:verify--over=is_over
            on:dragover=over
            on:dragleave=move |_| is_over.set(false)
            on:drop=dropped
        >
            <section class="verify__head">
                <h1>"Verify a bundle"</h1>
                <p class="soft">"Runs in this tab. Nothing is uploaded. The server is asked only on demand."</p>
            </section>
            <section class="verify__top" aria-label="Verdict">
                <Banner checking />
            </section>
            <section class="verify__side" aria-label="Bundle">
                <BundlePanel checking />
                <Trusted checking />
                <KeptPanel checking />
                <Command checking />
            </section>
            <section class="verify__steps" aria-label="Steps" tabindex="0">
                <Steps checking />
            </section>
            <section class="verify__why" aria-label="What was found" tabindex="0">
                <Explained checking />
            </section>
        </div>
    }
}

/// The same check where no page is needed.
#[component]
fn Command(checking: Checking) -> impl IntoView {
    let is_copied = RwSignal::new(false);
    let command = Memo::new(move |_| checking.command());
    let copy = move |_| {
        crate::browser::copy(&command.get_untracked());
        is_copied.set(true);
    };
    Effect::new(move |_| {
        command.track();
        is_copied.set(false);
    });
    view! {
        <div class="verify__command">
            <h3>"Same check offline"</h3>
            <pre class="verify__hex">{command}</pre>
            <div class="line">
                <button class="button button--small" on:click=copy>
                    {move || if is_copied.get() { "Copied" } else { "Copy command" }}
                </button>
                <button
                    class="button button--small"
                    hidden=move || checking.keys.with(Vec::is_empty)
                    on:click=move |_| checking.save_keys()
                >
                    "Save keys as a file"
                </button>
            </div>
        </div>
    }
}
