//! The code that this console runs, as the gateway says: to be compared with what the log says and with what others got.

use leptos::{prelude::*, task::spawn_local};
use protocol::{console_code::ConsoleHash, views::Problem};

use crate::{
    api, browser,
    parts::icon::{Glyph, icon},
};

/// One line for each of the console's files.
const LIST: &str = "/console.sha256";

/// What is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Code {
    Asked,
    Lost,
    /// The gateway names none: it could not read its own files.
    Unnamed,
    Named {
        hash: String,
        files: usize,
    },
}

impl Code {
    fn of(answer: Result<Vec<u8>, Problem>) -> Self {
        match answer.map(String::from_utf8) {
            Ok(Ok(list)) => Self::Named {
                hash: ConsoleHash::of(&list).to_string(),
                files: list.lines().count(),
            },
            Err(problem) if problem.status == 404 => Self::Unnamed,
            Ok(Err(_)) | Err(_) => Self::Lost,
        }
    }
}

/// Its hash, the list that it is made of, and how to compare.
#[component]
pub(super) fn ServedCode() -> impl IntoView {
    let code = RwSignal::new(Code::Asked);
    let ask = move || {
        code.set(Code::Asked);
        spawn_local(async move {
            let _set = code.try_set(Code::of(api::bytes(LIST).await));
        });
    };
    ask();
    view! {
        <section class="panel" aria-labelledby="code-title">
            <header>
                <h2 id="code-title">"This console’s code"</h2>
                <span class="soft ellipsis">"Whoever serves it could misuse keys of an open page"</span>
            </header>
            <ul>
                <li class="keyring__code">{move || shown(&code.get(), ask)}</li>
            </ul>
        </section>
    }
}

fn shown(code: &Code, ask: impl Fn() + 'static) -> AnyView {
    match code {
        Code::Asked => {
            view! { <span class="skeleton" aria-busy="true" aria-label="Loading the list of files"></span> }
                .into_any()
        }
        Code::Lost => view! {
            <span class="soft">"Not known: it could not be asked for."</span>
            <button class="button button--small" on:click=move |_| ask()>
                "Try again"
            </button>
        }
        .into_any(),
        Code::Unnamed => {
            view! { <span class="soft">"This gateway names none, and neither does the log."</span> }
                .into_any()
        }
        Code::Named { hash, files } => {
            let (copied, label) = (hash.clone(), format!("Copy {hash}"));
            view! {
                <button
                    class="keyring__digits"
                    aria-label=label
                    title="Copy"
                    on:click=move |_| browser::copy(&copied)
                >
                    <code>{hash.clone()}</code>
                </button>
                <a class="button button--small" href=LIST target="_blank" rel="noopener">
                    {icon(Glyph::List)}
                    {format!("{files} files")}
                </a>
                <span class="soft keyring__line">
                    "SHA-256 of the list of its files. The log names it at each start of the gateway (gateway.started): compare it there, and with what others got."
                </span>
            }
            .into_any()
        }
    }
}
