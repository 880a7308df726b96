//! The tables, for both databases. Written by hand (see `diesel.toml`) and held against the
//! migrations of both by a test.

diesel::table! {
    use diesel::sql_types::{Bool, Nullable, Text};
    use crate::db::types::sql::{Id, Instant, Json};

    users (id) {
        id -> Id,
        issuer -> Text,
        subject -> Text,
        email -> Text,
        email_verified -> Bool,
        name -> Nullable<Text>,
        avatar_url -> Nullable<Text>,
        current_workspace_id -> Nullable<Id>,
        created_at -> Instant,
        updated_at -> Instant,
        claims_issued_at -> Nullable<Instant>,
        deleted_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, Nullable, Text};
    use crate::db::types::sql::{Id, Instant, Json};

    organizations (id) {
        id -> Id,
        name -> Text,
        name_key -> Text,
        slug -> Text,
        is_personal -> Bool,
        workos_organization_id -> Nullable<Text>,
        plan_key -> Text,
        created_by -> Nullable<Id>,
        created_at -> Instant,
        updated_at -> Instant,
        deleted_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, Nullable, Text};
    use crate::db::types::sql::{Id, Instant, Json};

    organization_slugs (slug) {
        slug -> Text,
        organization_id -> Id,
        is_current -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, Nullable, Text};
    use crate::db::types::sql::{Id, Instant, Json};

    organization_members (id) {
        id -> Id,
        organization_id -> Id,
        user_id -> Id,
        role -> Text,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, Nullable, Text};
    use crate::db::types::sql::{Id, Instant, Json};

    workspaces (id) {
        id -> Id,
        organization_id -> Id,
        name -> Text,
        name_key -> Text,
        search_key -> Text,
        slug -> Text,
        description -> Nullable<Text>,
        domain -> Nullable<Text>,
        visibility -> Text,
        settings -> Json,
        onboarding -> Json,
        onboarding_completed_at -> Nullable<Instant>,
        trial_ends_at -> Nullable<Instant>,
        created_by -> Nullable<Id>,
        created_at -> Instant,
        updated_at -> Instant,
        deleted_at -> Nullable<Instant>,
        purge_at -> Nullable<Instant>,
        enabled_providers -> Nullable<Json>,
        last_run_at -> Nullable<Instant>,
        icon_id -> Nullable<Id>,
        icon_format -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, Nullable, Text};
    use crate::db::types::sql::{Id, Instant, Json};

    workspace_slugs (slug) {
        slug -> Text,
        workspace_id -> Id,
        is_current -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, Nullable, Text};
    use crate::db::types::sql::{Id, Instant, Json};

    workspace_members (id) {
        id -> Id,
        workspace_id -> Id,
        organization_id -> Id,
        user_id -> Id,
        role -> Text,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, Nullable, Text};
    use crate::db::types::sql::{Id, Instant, Json};

    events (id) {
        id -> Id,
        kind -> Text,
        organization_id -> Id,
        workspace_id -> Nullable<Id>,
        actor_id -> Nullable<Id>,
        subject -> Nullable<Text>,
        data -> Json,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, Nullable, Text};
    use crate::db::types::sql::{Id, Instant, Json};

    rate_hits (id) {
        id -> Id,
        rule -> Text,
        subject_id -> Id,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::db::types::sql::{Id, Instant};

    invitations (id) {
        id -> Id,
        organization_id -> Id,
        workspace_id -> Nullable<Id>,
        email -> Text,
        organization_role -> Text,
        workspace_role -> Nullable<Text>,
        status -> Text,
        invited_by -> Nullable<Id>,
        expires_at -> Instant,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, Integer, Nullable, Text};
    use crate::db::types::sql::{Id, Instant};

    join_codes (workspace_id) {
        workspace_id -> Id,
        code -> Text,
        is_enabled -> Bool,
        role -> Text,
        expires_at -> Nullable<Instant>,
        max_uses -> Nullable<Integer>,
        uses -> Integer,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable};
    use crate::db::types::sql::{Id, Instant};

    removals (id) {
        id -> Id,
        organization_id -> Id,
        workspace_id -> Nullable<Id>,
        user_id -> Id,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::db::types::sql::{Id, Instant};

    api_tokens (id) {
        id -> Id,
        user_id -> Id,
        name -> Text,
        prefix -> Text,
        hash -> Text,
        created_at -> Instant,
        last_used_at -> Nullable<Instant>,
        expires_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::{Text};
    use crate::db::types::sql::Instant;

    deleted_identities (hash) {
        hash -> Text,
        deleted_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{Integer, Nullable, Text};
    use crate::db::types::sql::{Id, Instant};

    mails (id) {
        id -> Id,
        recipient -> Text,
        subject -> Text,
        text -> Text,
        html -> Text,
        created_at -> Instant,
        due_at -> Instant,
        attempts -> Integer,
        invitation_id -> Nullable<Id>,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, Nullable, Text};
    use crate::db::types::sql::{Id, Instant, Json};

    prompts (id) {
        id -> Id,
        workspace_id -> Id,
        text -> Text,
        text_hash -> Text,
        search_key -> Text,
        tags -> Json,
        is_active -> Bool,
        created_by -> Nullable<Id>,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::db::types::sql::{Id, Instant};

    schedules (workspace_id) {
        workspace_id -> Id,
        cron -> Text,
        time_zone -> Text,
        next_run_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::{Integer, Nullable, Text};
    use crate::db::types::sql::{Id, Instant, Json};

    runs (id) {
        id -> Id,
        workspace_id -> Id,
        trigger -> Text,
        status -> Text,
        error -> Nullable<Text>,
        providers -> Json,
        occurrence -> Nullable<Instant>,
        total -> Integer,
        completed -> Integer,
        failed -> Integer,
        queued_at -> Instant,
        started_at -> Nullable<Instant>,
        finished_at -> Nullable<Instant>,
        lease_holder -> Nullable<Id>,
        leased_until -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use crate::db::types::sql::Id;

    run_prompts (run_id, prompt_id) {
        run_id -> Id,
        prompt_id -> Id,
        text -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, Integer, Nullable, Text};
    use crate::db::types::sql::{Id, Instant, Json};

    answers (id) {
        id -> Id,
        workspace_id -> Id,
        run_id -> Id,
        prompt_id -> Id,
        prompt_text -> Text,
        provider -> Text,
        model -> Text,
        text -> Nullable<Text>,
        error -> Nullable<Text>,
        citations -> Json,
        mentions_domain -> Bool,
        latency_ms -> Integer,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{Integer, Text};
    use crate::db::types::sql::Id;

    visibility (workspace_id, day, provider) {
        workspace_id -> Id,
        day -> Text,
        provider -> Text,
        answers -> Integer,
        mentions -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::{Integer, Nullable, Text};
    use crate::db::types::sql::{Id, Instant};

    files (id) {
        id -> Id,
        uploaded_by -> Nullable<Id>,
        object_id -> Nullable<Id>,
        format -> Nullable<Text>,
        bytes -> Nullable<Integer>,
        width -> Nullable<Integer>,
        height -> Nullable<Integer>,
        workspace_id -> Nullable<Id>,
        used_at -> Nullable<Instant>,
        expires_at -> Instant,
        kept_until -> Instant,
        created_at -> Instant,
    }
}

diesel::table! {
    use crate::db::types::sql::{Id, Instant};

    discarded_objects (id) {
        id -> Id,
        due_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use crate::db::types::sql::Instant;

    secrets (name) {
        name -> Text,
        value -> Text,
        created_at -> Instant,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    users,
    organizations,
    organization_slugs,
    organization_members,
    workspaces,
    workspace_slugs,
    workspace_members,
    events,
    rate_hits,
    invitations,
    join_codes,
    removals,
    api_tokens,
    deleted_identities,
    mails,
    prompts,
    schedules,
    runs,
    run_prompts,
    answers,
    visibility,
    files,
    discarded_objects,
    secrets,
);
