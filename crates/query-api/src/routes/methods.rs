use actix_web::{
    FromRequest, Handler, HttpResponse, Resource, Responder, Route, dev::HttpServiceFactory, guard,
    middleware::from_fn, web,
};
use shared_schema::access::Role;

use crate::{
    access::{self, Regions},
    error::ApiError,
};

/// A path, and what it does by which method. To any other it says what they are.
pub(crate) struct Methods {
    resource: Resource,
    allowed: Vec<&'static str>,
}

impl Methods {
    /// A path that does nothing yet.
    pub(crate) fn at(path: &str) -> Self {
        Self {
            resource: web::resource(path),
            allowed: Vec::new(),
        }
    }

    /// It shows something: GET and HEAD.
    pub(crate) fn shows<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let reading = guard::Any(guard::Get()).or(guard::Head());
        self.with(&["GET", "HEAD"], web::route().guard(reading).to(handler))
    }

    /// It does something: POST.
    pub(crate) fn does<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with(&["POST"], web::post().to(handler))
    }

    /// It ends something: DELETE.
    pub(crate) fn ends<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.with(&["DELETE"], web::delete().to(handler))
    }

    fn with(mut self, methods: &[&'static str], route: Route) -> Self {
        self.allowed.extend(methods);
        self.resource = self.resource.route(route);
        self
    }

    /// For everybody.
    pub(crate) fn for_all(self) -> Resource {
        let allowed = self.allowed.join(", ");
        self.resource.default_service(web::to(move || {
            let allowed = allowed.clone();
            async { Err::<HttpResponse, _>(ApiError::MethodNotAllowed(allowed)) }
        }))
    }

    /// For callers of this role and those above it, to whom it tells of their own regions.
    pub(crate) fn for_role(self, role: Role) -> impl HttpServiceFactory + 'static {
        self.for_role_in(role, Regions::Own)
    }

    /// For callers of this role and those above it who may see all regions, since it does not tell them apart.
    pub(crate) fn for_role_everywhere(self, role: Role) -> impl HttpServiceFactory + 'static {
        self.for_role_in(role, Regions::All)
    }

    fn for_role_in(self, role: Role, tells_of: Regions) -> impl HttpServiceFactory + 'static {
        let asked = move |request, next| access::needs(role, tells_of, request, next);
        self.for_all().wrap(from_fn(asked))
    }
}
