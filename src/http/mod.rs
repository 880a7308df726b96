//! The HTTP server: the router, the GraphQL endpoint, the playground, health.

mod accept;
mod body;
mod budget;
mod client;
mod credentials;
mod documents;
mod exchange;
mod files;
mod graphql;
mod health;
mod metrics_listener;
mod observe;
mod operation;
mod operation_log;
mod origin;
mod params;
mod parsed;
mod places;
mod playground;
mod prepare;
mod recalled;
mod refusal;
mod reply;
mod request_id;
mod serve;
mod server;
mod state;
mod subscription;

use axum::Router;
use axum::middleware;
use axum::routing::{get, put};
use tower_http::cors::CorsLayer;

pub use documents::Documents;
pub use metrics_listener::MetricsListener;
pub use playground::Playground;
pub use server::{Server, bind};
pub use state::State;

/// Every route that the server answers.
fn router(state: State, cors: CorsLayer) -> Router {
    let mut router = Router::new()
        .route("/graphql", get(graphql::get).post(graphql::post))
        .route("/graphql/ws", get(graphql::socket))
        .route(
            "/graphql/stream",
            get(graphql::stream_get).post(graphql::stream_post),
        )
        .route("/schema.graphql", get(graphql::sdl))
        .route("/uploads/{id}", put(files::upload))
        .route("/files/{id}/{name}", get(files::download))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready));
    if state.app.config.playground.enabled {
        router = router
            .route("/", get(playground::page))
            .route("/playground/{file}", get(playground::file));
    }
    if state.app.config.metrics_on_main_port() {
        router = router.merge(observe::router(state.app.clone()));
    }
    let (metrics, config) = (state.app.metrics.clone(), state.app.config.clone());
    router
        .layer(middleware::from_fn(request_id::catch))
        .layer(cors)
        .layer(middleware::from_fn_with_state(config, request_id::layer))
        .layer(middleware::from_fn_with_state(metrics, observe::layer))
        .with_state(state)
}
