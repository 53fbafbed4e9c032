//! The styles in which a vendor pages → how one operation pages, and which styles no tool uses.

use crate::lower::arguments::Argument;
use crate::lower::inputs::Input;
use crate::read::located::Located;
use toolwright_model::{Binding, Paging, PagingKind, PagingStyle, Place, Tool, Verb};

/// How an operation with these inputs pages by a style; `None` where it lacks what that needs.
pub fn fit(style: &PagingStyle, inputs: &[Input]) -> Option<Paging> {
    let of = |name: &str| {
        let right = |input: &&Input| {
            input.key == name && matches!(input.place, Place::Query(_) | Place::Header(_) | Place::Property(_))
        };
        inputs.iter().find(right)
    };
    let position = of(&style.position)?;
    let size = match &style.size {
        Some(size) => Some(of(size)?.place.clone()),
        None => None,
    };
    Some(Paging {
        kind: style.kind,
        position: position.place.clone(),
        always: position.required && style.kind != PagingKind::Token,
        size,
        most: None,
        signs: style.signs.clone(),
    })
}

/// The most records of a page, where the argument's schema states it.
pub fn most(paging: &Paging, bindings: &[Binding], arguments: &[Argument]) -> Option<u64> {
    let binding = bindings.iter().find(|binding| Some(&binding.place) == paging.size.as_ref())?;
    let argument = arguments.iter().find(|argument| argument.name == binding.argument)?;
    argument.schema.get("maximum")?.as_u64()
}

/// What a style needs an operation to have.
pub fn names(style: &PagingStyle) -> String {
    match &style.size {
        Some(size) => format!("`{}`, `{size}`", style.position),
        None => format!("`{}`", style.position),
    }
}

/// Reports each style by which no tool pages: a parameter's name is mistyped. `root` is vendor.toml. As long as a tool is
/// unreviewed it may come to page by any of them.
pub fn check_used(styles: &[PagingStyle], tools: &[&Tool], root: &Located<'_>) {
    let is_open = |tool: &&Tool| !tool.reviewed() && matches!(tool.verb, Verb::List | Verb::Search);
    if tools.iter().any(is_open) {
        return;
    }
    for (index, style) in styles.iter().enumerate() {
        let used = |tool: &&&Tool| tool.paging().is_some_and(|paging| is_by(paging, style));
        if !tools.iter().any(|tool| used(&tool)) {
            root.nearest(&format!("/paging/{index}")).report(
                format!("a listing that takes {}", names(style)),
                format!("none that pages by `{}`", style.name),
                Some("a style before it may fit first; an overlay's `paging` chooses one".to_owned()),
            );
        }
    }
}

fn is_by(paging: &Paging, style: &PagingStyle) -> bool {
    let named = |place: &Place, name: &str| match place {
        Place::Query(own) | Place::Header(own) | Place::Property(own) => own == name,
        _ => false,
    };
    let size = match (&paging.size, &style.size) {
        (Some(place), Some(name)) => named(place, name),
        (None, None) => true,
        _ => false,
    };
    paging.kind == style.kind && paging.signs == style.signs && named(&paging.position, &style.position) && size
}
