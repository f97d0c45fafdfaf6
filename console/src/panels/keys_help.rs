//! What the keys do. Lies over the work area, never over the safety bar.

use leptos::{html, prelude::*};

const KEYS: [(&str, &[(&str, &str)]); 4] = [
    (
        "Everywhere",
        &[
            ("Space", "Stop the selected robot"),
            ("?", "Show or hide this list"),
            ("Esc", "Close; on the live page: back to the fleet"),
        ],
    ),
    (
        "Fleet",
        &[
            ("J K", "Next, previous robot; arrow keys work too"),
            (
                "Enter",
                "Take the first call for help, else open the selected robot",
            ),
            ("2 … 9", "Take the second call, the third, and so on"),
            ("O", "Open the selected robot"),
            ("M", "Sound of calls on or off"),
            ("F", "Filter by name"),
        ],
    ),
    (
        "Jobs",
        &[
            ("J K", "Next, previous job; arrow keys work too"),
            ("F", "Filter by title, number, robot or person"),
        ],
    ),
    (
        "Live",
        &[
            ("1 … 9", "Answer the robot's question"),
            ("H", "Hand back after helping"),
            ("K", "Take control of the robot, or ask for it"),
            ("G", "Give it to who asks"),
            (
                "W A S D",
                "Drive while held; arrow keys work too, Q and E turn as well",
            ),
            ("Shift Alt", "Drive faster, slower"),
            ("L", "You looked: the area is clear"),
            ("Y", "Hold to arm driving, or to release a stop"),
            ("C", "Swap cameras"),
            ("N", "Choose a place to drive to"),
            ("+ −", "Zoom the map, 0 shows all of it"),
        ],
    ),
];

/// Draws the list.
#[component]
pub(crate) fn KeysHelp(on_close: Callback<()>) -> impl IntoView {
    let close = NodeRef::<html::Button>::new();
    Effect::new(move |_| {
        if let Some(button) = close.get() {
            // A dialog that can't take the focus still shows.
            let _focused = button.focus();
        }
    });
    let group = |(name, keys): (&'static str, &'static [(&str, &str)])| {
        let key = |(key, words): &(&'static str, &'static str)| {
            let caps = key
                .split(' ')
                .map(|cap| view! { <kbd>{cap.to_owned()}</kbd> });
            view! {
                <dt>{caps.collect_view()}</dt>
                <dd>{*words}</dd>
            }
        };
        view! {
            <section>
                <h3>{name}</h3>
                <dl>{keys.iter().map(key).collect_view()}</dl>
            </section>
        }
    };
    view! {
        <div class="veil" on:click=move |_| on_close.run(())>
            <div
                class="dialog keys"
                role="dialog"
                aria-labelledby="keys-title"
                on:click=|event| event.stop_propagation()
            >
                <div class="keys__head">
                    <h2 id="keys-title">"Keys"</h2>
                    <button
                        class="button button--small"
                        node_ref=close
                        on:click=move |_| on_close.run(())
                    >
                        "Close"
                        <kbd>"Esc"</kbd>
                    </button>
                </div>
                {KEYS.into_iter().map(group).collect_view()}
                <p class="keys__note">
                    "While you type in a field, keys go into the field. Buttons are pressed with Enter."
                </p>
            </div>
        </div>
    }
}
