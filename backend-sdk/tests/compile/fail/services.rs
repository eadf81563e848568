//! What a service's trait and its methods cannot be.
use callgate_sdk::{Context, Status, service};

#[service]
trait Methods {
    fn not_async(&self) -> Result<(), Status>;
    async fn no_self(a: u8) -> Result<(), Status>;
    async fn nothing() -> Result<(), Status>;
    async fn exclusive(&mut self) -> Result<(), Status>;
    async fn by_value(self) -> Result<(), Status>;
    async fn no_result(&self) -> u8;
    async fn no_return(&self);
    async fn other_error(&self) -> Result<u8, String>;
    async fn text(&self) -> Result<u8, &'static str>;
    async fn boxed(&self) -> Result<u8, Box<dyn std::error::Error>>;
    async fn nothing_said(&self) -> Result<u8, ()>;
    async fn generic<T>(&self, a: T) -> Result<(), Status>;
    async fn lifetime<'a>(&'a self) -> Result<(), Status>;
    async fn bound(&self) -> Result<(), Status>
    where
        Self: Sized;
    async unsafe fn unsafe_one(&self) -> Result<(), Status>;
    async fn body(&self) -> Result<(), Status> {
        Ok(())
    }
}

#[service]
trait Arguments {
    async fn borrowed(&self, name: &str) -> Result<(), Status>;
    async fn any(&self, name: impl Into<String>) -> Result<(), Status>;
    async fn pattern(&self, (a, b): (u8, u8)) -> Result<(), Status>;
    async fn ignored(&self, _: u8) -> Result<(), Status>;
    async fn mutable(&self, mut a: u8) -> Result<(), Status>;
    async fn late(&self, a: u8, cx: &Context) -> Result<(), Status>;
    async fn exclusive(&self, cx: &mut Context) -> Result<(), Status>;
    async fn twice(&self, a: u8, a: u8) -> Result<(), Status>;
    async fn serdes(&self, #[serde(rename = "b")] a: u8) -> Result<(), Status>;
    async fn attribute(&self, #[allow(unused)] a: u8) -> Result<(), Status>;
    async fn told_context(&self, #[default] cx: &Context) -> Result<(), Status>;
    async fn default_form(&self, #[default = 7] a: u8) -> Result<(), Status>;
    async fn same_name(&self, a: u8, #[message(rename = "a")] b: u8) -> Result<(), Status>;
    async fn größe(&self) -> Result<(), Status>;
    async fn many(
        &self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8, j: u8, k: u8, l: u8, m: u8, n: u8, o: u8, p: u8, q: u8,
    ) -> Result<(), Status>;
}

#[service]
trait Members: Clone {
    type Associated;
    const CONSTANT: u8;
    async fn fine(&self) -> Result<(), Status>;
    async fn fine(&self) -> Result<(), Status>;
    #[cfg(unix)]
    async fn conditional(&self) -> Result<(), Status>;
}

#[service]
trait Numbers {
    #[call(id = 0)]
    async fn zero(&self) -> Result<(), Status>;
    #[call(id = 0x1_0000_0000)]
    async fn large(&self) -> Result<(), Status>;
    #[call]
    async fn none(&self) -> Result<(), Status>;
    #[call(number = 1)]
    async fn other(&self) -> Result<(), Status>;
    #[idempotent(true)]
    async fn idempotent(&self) -> Result<(), Status>;
    #[call(id = 7)]
    async fn seven(&self) -> Result<(), Status>;
    #[call(id = 7)]
    async fn also_seven(&self) -> Result<(), Status>;
    // The Call ID of `numbers.seventh`.
    #[call(id = 0xc68b_c4a2)]
    async fn eighth(&self) -> Result<(), Status>;
    async fn seventh(&self) -> Result<(), Status>;
}

#[service(name = "a..b")]
trait Name {
    async fn fine(&self) -> Result<(), Status>;
}

#[service]
trait Größe {
    async fn fine(&self) -> Result<(), Status>;
}

#[service(names = "a")]
trait Option {
    async fn fine(&self) -> Result<(), Status>;
}

#[service]
trait Empty {}

#[service]
trait Generic<T> {
    async fn fine(&self) -> Result<(), Status>;
}

#[service]
struct NoTrait;

fn main() {}
