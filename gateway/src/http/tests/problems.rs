//! Claims about requests that can't be understood: each is answered by a problem with a frozen code, under our headers.

use axum::{
    body::Body,
    http::{Method, header},
    routing::get as route,
};
use serde_json::json;
use sqlx::PgPool;
use tower::ServiceExt as _;

use super::{
    answer::{Answer, Asking as _, asking, get, post},
    house::{House, JUNIPER, PUBLIC_URL, Who},
};

fn commands() -> String {
    format!("/api/v1/robots/{}/commands", JUNIPER.id())
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn what_can_not_be_understood_is_a_problem_with_a_frozen_code(owner: PgPool) {
    let house = House::new(&owner).await;
    let json_body = |text: &str| {
        post("/api/v1/session")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(text.to_owned()))
            .unwrap()
    };
    let as_form = post("/api/v1/session")
        .body(Body::from("link=nt_link"))
        .unwrap();

    for (case, request, status, code) in [
        ("no JSON", json_body("{"), 400, "body_malformed"),
        ("another shape", json_body("[1]"), 400, "body_malformed"),
        ("no content type", as_form, 400, "body_malformed"),
        (
            "too large",
            json_body(&format!("{{\"link\":\"{}\"}}", "x".repeat(64 * 1024))),
            413,
            "body_too_large",
        ),
        (
            "no id",
            get("/api/v1/robots/juniper").by(Who::Operator).empty(),
            400,
            "path_malformed",
        ),
        (
            "unknown key",
            get("/api/v1/robots?page=2").by(Who::Operator).empty(),
            400,
            "query_malformed",
        ),
        (
            "cursor that is none",
            get("/api/v1/robots?cursor=2").by(Who::Operator).empty(),
            400,
            "query_malformed",
        ),
        (
            "position that is none",
            get("/api/v1/events?cursor=2").by(Who::Admin).empty(),
            400,
            "position_malformed",
        ),
        (
            "unknown endpoint",
            get("/api/v1/nothing").by(Who::Operator).empty(),
            404,
            "not_found",
        ),
        ("no API", get("/api/v2/robots").empty(), 404, "not_found"),
        ("post to a page", post("/live").empty(), 404, "not_found"),
        (
            "unknown method",
            asking(Method::PUT, "/api/v1/robots")
                .by(Who::Operator)
                .empty(),
            405,
            "method_not_allowed",
        ),
        (
            "no key",
            post(&commands())
                .by(Who::Operator)
                .json(&json!({"verb": "stop"})),
            400,
            "idempotency_key_missing",
        ),
        (
            "unknown verb",
            post(&commands())
                .by(Who::Operator)
                .header("idempotency-key", JUNIPER.id().to_string())
                .json(&json!({"verb": "fly"})),
            400,
            "body_malformed",
        ),
        (
            "no upgrade",
            get("/api/v1/console/socket").by(Who::Operator).empty(),
            400,
            "upgrade_expected",
        ),
    ] {
        let answer = house.ask(request).await;
        assert_eq!(answer.problem(), (status, code.to_owned()), "{case}");
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_body_that_never_says_how_long_it_is_is_still_bounded(owner: PgPool) {
    let house = House::new(&owner).await;
    let piece = || Ok::<_, std::io::Error>(axum::body::Bytes::from(vec![b' '; 16 * 1024]));
    let endless = futures_util::stream::repeat_with(piece);

    let request = post("/api/v1/session").header(header::CONTENT_TYPE, "application/json");
    let request = request.body(Body::from_stream(endless)).unwrap();
    let answer = house.ask(request).await;

    assert_eq!(answer.problem(), (413, "body_too_large".to_owned()));
}

fn wears_our_headers(answer: &Answer) {
    let policy = answer.header(header::CONTENT_SECURITY_POLICY);
    for wanted in [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(wanted), "{wanted} is not in {policy}");
    }
    assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"));
    assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    assert_eq!(answer.header(header::X_FRAME_OPTIONS), "DENY");
    assert_eq!(answer.header(header::REFERRER_POLICY), "no-referrer");
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn every_answer_says_what_a_page_may_load_and_that_nobody_may_frame_it(owner: PgPool) {
    let house = House::new(&owner).await;

    for path in [
        "/",
        "/live/1",
        "/assets/app-1f.css",
        "/assets/missing.js",
        "/healthz",
        "/readyz",
        "/metrics",
        "/api/openapi.json",
        "/api/v1/session",
        "/api/v1/robots",
        "/api/v1/events",
        "/api/v1/robots/socket",
        "/api/v1/nothing",
        "/api/nothing",
    ] {
        wears_our_headers(&house.ask(get(path).empty()).await);
        let put = asking(Method::PUT, path).header(header::ORIGIN, PUBLIC_URL);
        wears_our_headers(&house.ask(put.empty()).await);
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_request_that_we_break_on_is_a_problem_too_and_tells_nothing(owner: PgPool) {
    async fn breaks() {
        panic!("the secret of the house");
    }

    let house = House::new(&owner).await;
    let router = axum::Router::new().route("/breaks", route(breaks));
    let router = super::super::guarded(router, &house.app).with_state(house.app.clone());

    let response = router.oneshot(get("/breaks").empty()).await.unwrap();
    let answer = Answer::read(response).await;

    assert_eq!(answer.problem(), (500, "internal".to_owned()));
    assert!(!answer.text().contains("secret"));
    wears_our_headers(&answer);
}
