//! The plot: goodput against load, as SVG that can be read on light and on dark paper.

use crate::report::Sweep;
use std::fmt::Write;

const STYLE: &str = "<style>
    .ink { fill: #1f2328; } .dim { fill: #57606a; font-size: 12px; } .rule { stroke: #d0d7de; fill: none; }
    .line { fill: none; stroke-width: 2; } .ideal { stroke: #57606a; stroke-dasharray: 5 4; }
    .s0 { stroke: #57606a; } .s1 { stroke: #0969da; } .s2 { stroke: #bc4c00; }
    .f0 { fill: #57606a; } .f1 { fill: #0969da; } .f2 { fill: #bc4c00; }
    @media (prefers-color-scheme: dark) {
      .ink { fill: #e6edf3; } .dim { fill: #8b949e; } .rule { stroke: #30363d; } .ideal { stroke: #8b949e; }
      .s0 { stroke: #8b949e; } .s1 { stroke: #58a6ff; } .s2 { stroke: #ff9a52; }
      .f0 { fill: #8b949e; } .f1 { fill: #58a6ff; } .f2 { fill: #ff9a52; }
    }
  </style>";

const LEFT: f64 = 70.0;
const TOP: f64 = 60.0;
const WIDTH: f64 = 540.0;
const HEIGHT: f64 = 300.0;

/// The sweeps, one line each.
pub(crate) fn svg(sweeps: &[Sweep], capacity: f64) -> String {
    let last = sweeps.iter().flat_map(|sweep| &sweep.points).map(|point| point.factor).fold(1.0, f64::max);
    let x = |factor: f64| LEFT + factor / last * WIDTH;
    let y = |goodput: f64| TOP + HEIGHT - (goodput / capacity).min(1.2) / 1.2 * HEIGHT;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 820 410\" font-family=\"ui-sans-serif, system-ui, sans-serif\" \
         font-size=\"14\">\n  <title>Goodput against load</title>\n  {STYLE}\n\
         \x20 <text class=\"ink\" x=\"10\" y=\"22\" font-weight=\"600\">Requests answered well and in time, a second</text>\n\
         \x20 <text class=\"dim\" x=\"10\" y=\"42\">open loop, against a backend that can do {capacity:.0}/s; later than 500 ms counts as lost</text>\n"
    );
    for fifth in 0..=6 {
        let goodput = capacity * f64::from(fifth) / 5.0;
        let (at, below) = (y(goodput), y(goodput) + 4.0);
        let _ = writeln!(svg, "  <path class=\"rule\" d=\"M{LEFT} {at:.1}h{WIDTH}\"/>");
        let label = LEFT - 8.0;
        let _ = writeln!(
            svg,
            "  <text class=\"dim\" x=\"{label}\" y=\"{below:.1}\" text-anchor=\"end\">{goodput:.0}</text>"
        );
    }
    for half in 0..=(last * 2.0) as u32 {
        let factor = f64::from(half) / 2.0;
        let (at, below) = (x(factor), TOP + HEIGHT + 18.0);
        let _ = writeln!(
            svg,
            "  <text class=\"dim\" x=\"{at:.1}\" y=\"{below}\" text-anchor=\"middle\">{factor}×</text>"
        );
    }
    let _ = writeln!(
        svg,
        "  <text class=\"dim\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">offered load, of what the backend can do</text>",
        LEFT + WIDTH / 2.0,
        TOP + HEIGHT + 38.0
    );
    let ideal = [(0.0, 0.0), (1.0, capacity), (last, capacity)]
        .map(|(factor, good)| format!("{:.1},{:.1}", x(factor), y(good)));
    let _ = writeln!(svg, "  <polyline class=\"line ideal\" points=\"{}\"/>", ideal.join(" "));
    for (number, sweep) in sweeps.iter().enumerate() {
        let places: Vec<(f64, f64)> =
            sweep.points.iter().map(|point| (x(point.factor), y(point.tally.goodput()))).collect();
        let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(svg, "  <polyline class=\"line s{number}\" points=\"{}\"/>", path.join(" "));
        for (x, y) in &places {
            let _ = writeln!(svg, "  <circle class=\"f{number}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>");
        }
        let (line, name) = (TOP + 20.0 + number as f64 * 20.0, sweep.name);
        let at = LEFT + WIDTH + 24.0;
        let _ = writeln!(svg, "  <text class=\"f{number}\" x=\"{at}\" y=\"{line}\">{name}</text>");
    }
    svg.push_str("</svg>\n");
    svg
}
