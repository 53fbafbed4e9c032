//! Jira Service Management as an assistant meets it: through an MCP client, over a sandbox that
//! holds every request against the descriptions and answers from a script of its own.

mod access;
mod assets;
mod bulk;
mod comments;
mod costs;
mod desk;
mod fields;
mod files;
mod guards;
mod operations;
mod outsiders;
mod parameters;
mod tools;
mod workflows;
