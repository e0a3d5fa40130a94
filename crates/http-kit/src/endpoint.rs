//! One resource of a service: its path, its methods, and the names metrics know it by.

use actix_web::{HttpResponse, Resource, web};

use crate::problem::{Problem, ProblemKind};

/// A path a service answers at. A service lists all of its own, so that a test can hold the OpenAPI document and the
/// metrics against them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The service, as a label.
    pub service: &'static str,
    /// The path with its parameters in braces: what metrics and logs show instead of the path asked for.
    pub pattern: &'static str,
    /// The methods answered.
    pub methods: &'static [&'static str],
}

impl Endpoint {
    /// The resource, without routes yet: every method it is not given answers 405 with `Allow`.
    #[must_use]
    pub fn resource(self) -> Resource {
        let refuse = move || async move {
            Err::<HttpResponse, _>(Problem::new(ProblemKind::MethodNotAllowed).allow(self.methods))
        };
        web::resource(self.pattern).app_data(self).default_service(web::to(refuse))
    }
}

/// What is answered where no service has a resource: set it as the application's default service.
pub async fn not_found() -> Result<HttpResponse, Problem> {
    Err(Problem::new(ProblemKind::NotFound))
}
