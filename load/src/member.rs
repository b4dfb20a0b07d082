//! A member of a household, made through the API.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{
    pass::Pass,
    setup::World,
    shapes::people::{create_account, create_household, create_token, join},
};

/// A token of a new account that is an adult member of a new household.
pub async fn adult(server: &str) -> Result<Pass> {
    let world = World::named(server);
    world.make(1, |world, n, request| create_account(request, &world.account(n), None)).await?;
    world.make(1, |world, n, request| create_household(request, &world.household(n))).await?;
    world.make(1, |world, n, request| join(request, &world.household(n), &world.account(n), "adult")).await?;
    let token = new_token(&world, &world.account(0)).await?;
    Ok(Pass { token: Some(token), household: Some(world.household(0)) })
}

async fn new_token(world: &World, who: &str) -> Result<String> {
    let mut request = Vec::new();
    create_token(&mut request, who);
    let mut connection = world.connect().await?;
    let answer = connection.ask(&request).await?;
    ensure!(answer.status == 201, "no token: {} {}", answer.status, String::from_utf8_lossy(answer.body));
    let view: Value = serde_json::from_slice(answer.body)?;
    Ok(view["token"].as_str().context("an answer without the token")?.to_owned())
}
