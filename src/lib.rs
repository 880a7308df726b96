//! Tenantry: the workspace backend of a multi-tenant product behind one GraphQL API.
