//! Operations and their client → the Rust that calls the client by operation id, with arguments by
//! the description's names. Arguments that are left over are refused.
//!
//! The order of a function's arguments is read from the client's code: progenitor alone decides
//! it, and two texts in a wrong order would compile.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{FnArg, ImplItem, Item, Pat};

use crate::emit::client;
use toolwright_model::{BodyKind, Location, Operation, Parameter, ParameterKind, QueryStyle, function_name};

/// Emits the dispatch of an API whose client is `client_code`.
///
/// # Errors
/// An operation whose function the client lacks, or has with other arguments.
pub(super) fn emit(operations: &[Operation], client_code: &str) -> Result<String, String> {
    let functions = client_functions(client_code)?;
    let mut arms = Vec::new();
    let mut bodies = Vec::new();
    for operation in operations {
        let id = &operation.id;
        let function = caller_name(operation);
        arms.push(quote! { #id => #function(self, inputs), });
        bodies.push(if client::emits(operation) {
            let arguments = functions
                .get(&function_name(id))
                .ok_or_else(|| format!("the client has no function for operation `{id}`"))?;
            call_client(operation, arguments)?
        } else {
            send(operation)
        });
    }
    let tokens = quote! {
        use super::client::Client;
        use crate::client_runtime::{self, Inputs, Pending, Upstream};

        pub(crate) fn connect(upstream: Upstream) -> Box<dyn client_runtime::Connection> {
            Box::new(Client::new_with_client(&upstream.base(), upstream.http(), upstream))
        }

        impl client_runtime::Connection for Client {
            fn call<'a>(&'a self, operation: &str, inputs: Inputs) -> Pending<'a> {
                match operation {
                    #(#arms)*
                    unknown => client_runtime::unknown_operation(unknown),
                }
            }
        }

        impl progenitor_client::ClientHooks<Upstream> for Client {
            async fn pre<E>(
                &self,
                request: &mut reqwest::Request,
                _: &progenitor_client::OperationInfo,
            ) -> Result<(), progenitor_client::Error<E>> {
                self.inner.prepare(request).map_err(client_runtime::refused)
            }

            async fn exec(
                &self,
                request: reqwest::Request,
                _: &progenitor_client::OperationInfo,
            ) -> reqwest::Result<reqwest::Response> {
                self.inner.execute(request).await
            }
        }

        #(#bodies)*
    };
    let file = syn::parse2(tokens).map_err(|error| error.to_string())?;
    Ok(prettyplease::unparse(&file))
}

fn caller_name(operation: &Operation) -> syn::Ident {
    format_ident!("call_{}", function_name(&operation.id))
}

/// Returns the client's functions with the names of their arguments in order.
fn client_functions(code: &str) -> Result<BTreeMap<String, Vec<String>>, String> {
    let file = syn::parse_file(code).map_err(|error| error.to_string())?;
    let mut functions = BTreeMap::new();
    for item in file.items {
        let Item::Impl(block) = item else { continue };
        if block.trait_.is_some() {
            continue;
        }
        for item in block.items {
            let ImplItem::Fn(function) = item else { continue };
            if function.sig.asyncness.is_none() {
                continue;
            }
            let arguments = function
                .sig
                .inputs
                .iter()
                .filter_map(|input| match input {
                    FnArg::Typed(typed) => match &*typed.pat {
                        Pat::Ident(name) => Some(name.ident.to_string()),
                        _ => None,
                    },
                    FnArg::Receiver(_) => None,
                })
                .collect();
            functions.insert(function.sig.ident.to_string(), arguments);
        }
    }
    Ok(functions)
}

/// Emits a function that takes each argument from the inputs and calls the client.
fn call_client(operation: &Operation, arguments: &[String]) -> Result<TokenStream, String> {
    let id = &operation.id;
    let mut takes = Vec::new();
    let mut passes = Vec::new();
    for name in arguments {
        let variable = format_ident!("{name}");
        if name == "body" {
            let form = operation.body.as_ref().is_some_and(|body| body.kind == BodyKind::Form);
            let take = if form { format_ident!("form") } else { format_ident!("json") };
            takes.push(quote! { let #variable = inputs.#take()?; });
            passes.push(quote! { &#variable });
            continue;
        }
        let parameter = operation
            .parameters
            .iter()
            .find(|parameter| client::bare_name(&parameter.name) == client::bare_name(name))
            .ok_or_else(|| format!("operation `{id}`: the client's argument `{name}` is no parameter"))?;
        let (take, pass) = argument(parameter, &variable);
        takes.push(take);
        passes.push(pass);
    }
    if passes.len() != operation.parameters.len() + usize::from(operation.body.is_some()) {
        return Err(format!("operation `{id}`: the client takes {} arguments, the operation has others", passes.len()));
    }
    let name = caller_name(operation);
    let function = format_ident!("{}", function_name(id));
    let inputs = if takes.is_empty() { quote!(inputs) } else { quote!(mut inputs) };
    let answer = if operation.redirects { format_ident!("answer_or_redirect") } else { format_ident!("answer") };
    Ok(quote! {
        fn #name(client: &Client, #inputs: Inputs) -> Pending<'_> {
            Box::pin(async move {
                #(#takes)*
                inputs.finish()?;
                client_runtime::#answer(client.#function(#(#passes),*).await).await
            })
        }
    })
}

/// Returns how an argument is taken from the inputs, and how it is passed.
fn argument(parameter: &Parameter, variable: &syn::Ident) -> (TokenStream, TokenStream) {
    let name = &parameter.name;
    let place = match parameter.location {
        Location::Path => "path",
        Location::Query => "query",
        Location::Header => "header",
    };
    let optional = !parameter.required;
    let kind = client::argument_kind(parameter);
    let owned = match kind {
        ParameterKind::Integer => quote!(i64),
        ParameterKind::Number => quote!(f64),
        ParameterKind::Boolean => quote!(bool),
        ParameterKind::Integers => quote!(::std::vec::Vec<i64>),
        ParameterKind::Strings => quote!(::std::vec::Vec<::std::string::String>),
        ParameterKind::String | ParameterKind::Structure => quote!(String),
    };
    let joined = match parameter.style {
        QueryStyle::Joined(separator) if client::is_list(parameter) => Some(quote!(inputs.joined(#name, #separator)?)),
        QueryStyle::Json => Some(quote!(inputs.json_text(#name)?)),
        _ => None,
    };
    let take = match (joined, optional, parameter.location) {
        (Some(take), true, _) => quote! { let #variable: Option<#owned> = #take; },
        (Some(take), false, _) => quote! { let #variable: #owned = client_runtime::required(#name, #take)?; },
        (None, _, Location::Path) => quote! { let #variable: #owned = inputs.path(#name)?; },
        (None, optional, _) => {
            let from = format_ident!("{}{place}", if optional { "" } else { "required_" });
            let target = if optional { quote!(Option<#owned>) } else { quote!(#owned) };
            quote! { let #variable: #target = inputs.#from(#name)?; }
        }
    };
    let pass = match (kind, optional) {
        (ParameterKind::Integer | ParameterKind::Number | ParameterKind::Boolean, _) => quote! { #variable },
        (ParameterKind::String | ParameterKind::Structure, true) => quote! { #variable.as_deref() },
        (ParameterKind::Integers | ParameterKind::Strings, true) => quote! { #variable.as_ref() },
        (_, false) => quote! { &#variable },
    };
    (take, pass)
}

/// Emits a function that passes the whole request to `client_runtime`, for operations that progenitor can't send.
fn send(operation: &Operation) -> TokenStream {
    let name = caller_name(operation);
    let (method, path) = (&operation.method, &operation.path);
    let styles = operation.parameters.iter().filter(|p| p.location == Location::Query).map(|parameter| {
        let name = &parameter.name;
        let style = style_of(parameter.style);
        quote!((#name, #style))
    });
    let headers = operation.parameters.iter().filter(|p| p.location == Location::Header).map(|p| &p.name);
    let body = match &operation.body {
        None => quote!(client_runtime::Body::None),
        Some(body) => {
            let (content_type, files) = (&body.content_type, &body.files);
            match body.kind {
                BodyKind::Json => quote!(client_runtime::Body::Json(#content_type)),
                BodyKind::Form => {
                    let fields = body.fields.iter().map(|(name, style)| {
                        let style = style_of(*style);
                        quote!((#name, #style))
                    });
                    quote!(client_runtime::Body::Form { fields: &[#(#fields),*] })
                }
                BodyKind::Multipart => {
                    let json = body.fields.iter().map(|(name, _)| name);
                    quote!(client_runtime::Body::Multipart { files: &[#(#files),*], json: &[#(#json),*] })
                }
                BodyKind::Raw => quote!(client_runtime::Body::Raw(#content_type)),
                BodyKind::File => quote!(client_runtime::Body::File(#content_type)),
            }
        }
    };
    let send = if operation.redirects { format_ident!("send_or_redirect") } else { format_ident!("send") };
    quote! {
        fn #name(client: &Client, inputs: Inputs) -> Pending<'_> {
            const REQUEST: client_runtime::Request = client_runtime::Request {
                method: #method,
                path: #path,
                query: &[#(#styles),*],
                headers: &[#(#headers),*],
                body: #body,
            };
            Box::pin(client_runtime::#send(&client.inner, &REQUEST, inputs))
        }
    }
}

fn style_of(style: QueryStyle) -> TokenStream {
    match style {
        QueryStyle::Repeated => quote!(client_runtime::QueryStyle::Repeated),
        QueryStyle::Joined(separator) => quote!(client_runtime::QueryStyle::Joined(#separator)),
        QueryStyle::DeepObject => quote!(client_runtime::QueryStyle::DeepObject),
        QueryStyle::Json => quote!(client_runtime::QueryStyle::Json),
    }
}
