//! The sound of a call for help, and whether it is wanted.

use leptos::prelude::window;
use wasm_bindgen::JsValue;
use web_sys::AudioContext;

/// Where the browser keeps whether calls make no sound.
const MUTED: &str = "calls-muted";

/// The two notes, hertz: a rising fourth, that no machine in a ward makes.
const NOTES: [f32; 2] = [660.0, 880.0];

/// Length of a note, seconds.
const NOTE_S: f64 = 0.16;

/// As loud as somebody in the same room who says a name.
const LOUDNESS: f32 = 0.12;

/// The bell. Browsers let it sound once somebody has clicked or typed on the page.
#[derive(Default)]
pub(crate) struct Bell {
    context: Option<AudioContext>,
}

impl Bell {
    /// Sounds once. What a browser doesn't let sound is on screen all the same.
    pub(crate) fn ring(&mut self) {
        if self.context.is_none() {
            self.context = AudioContext::new().ok();
        }
        if let Some(context) = &self.context {
            let _resuming = context.resume();
            let _played = play(context);
        }
    }
}

fn play(context: &AudioContext) -> Result<(), JsValue> {
    let mut at = context.current_time();
    for note in NOTES {
        let tone = context.create_oscillator()?;
        let volume = context.create_gain()?;
        tone.frequency().set_value(note);
        volume.gain().set_value_at_time(LOUDNESS, at)?;
        // Fading out spares the ear the crack of a tone that is cut.
        volume
            .gain()
            .linear_ramp_to_value_at_time(0.0, at + NOTE_S)?;
        tone.connect_with_audio_node(&volume)?;
        volume.connect_with_audio_node(&context.destination())?;
        tone.start_with_when(at)?;
        at += NOTE_S;
        tone.stop_with_when(at)?;
    }
    Ok(())
}

/// Whether calls were muted on this computer.
pub(crate) fn is_muted() -> bool {
    let storage = window().local_storage().ok().flatten();
    storage.is_some_and(|storage| storage.get_item(MUTED).ok().flatten().is_some())
}

/// Keeps the choice for the next visit. A browser that keeps nothing asks again.
pub(crate) fn remember_mute(is_muted: bool) {
    if let Some(storage) = window().local_storage().ok().flatten() {
        let _kept = if is_muted {
            storage.set_item(MUTED, "1")
        } else {
            storage.remove_item(MUTED)
        };
    }
}
