//! The operations that the playground opens with.

/// An operation to begin with.
pub struct Example {
    /// What it is called.
    pub title: &'static str,
    /// A GraphQL document of one operation.
    pub query: &'static str,
    /// Its variables, a JSON object, or nothing.
    pub variables: &'static str,
}

/// In the order of their tabs.
pub const EXAMPLES: [Example; 4] = [
    Example {
        title: "Where am I?",
        query: include_str!("examples/navigation.graphql"),
        variables: "",
    },
    Example {
        title: "Create a workspace",
        query: include_str!("examples/create_workspace.graphql"),
        variables: include_str!("examples/create_workspace.json"),
    },
    Example {
        title: "List workspaces",
        query: include_str!("examples/workspaces.graphql"),
        variables: include_str!("examples/workspaces.json"),
    },
    Example {
        title: "Follow a workspace",
        query: include_str!("examples/workspace_events.graphql"),
        variables: include_str!("examples/workspace_events.json"),
    },
];

/// The examples as the page's scripts find them: in elements, so that the page has no script inline,
/// not even one that is only data.
pub fn templates() -> String {
    let templates = EXAMPLES.iter().map(|example| {
        format!(
            "<template class=\"example\" data-title=\"{}\"><pre class=\"query\">{}</pre>\
             <pre class=\"variables\">{}</pre></template>\n",
            escape(example.title),
            escape(example.query),
            escape(example.variables),
        )
    });
    templates.collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}
