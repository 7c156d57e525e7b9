using System.Text.Json;
using Xunit;

namespace Ldvc.Tests.Browser;

/// <summary>
/// What every page must be: names for all controls, enough contrast, no wider than the window. An own check of a few rules of WCAG 2.2, AA.
/// </summary>
internal static class PageCheck
{
    // Text is on the first opaque background above it. 4.5 for text (3 for large text), 3 for the edges of fields and buttons.
    private const string Contrast = """
        const channel = c => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
        const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
        const parse = text => { const n = text.match(/[\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
        const over = (top, below) => [0, 1, 2].map(i => top[3] * top[i] + (1 - top[3]) * below[i]);
        const behind = element => {
          const layers = [];
          for (let e = element; e; e = e.parentElement) {
            const c = parse(getComputedStyle(e).backgroundColor);
            if (c[3] > 0) layers.push(c);
            if (c[3] === 1) break;
          }
          return layers.reverse().reduce((below, c) => over(c, below), matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255]);
        };
        const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
        const found = [];
        for (const element of document.querySelectorAll("body *")) {
          const style = getComputedStyle(element);
          if (!element.checkVisibility({ visibilityProperty: true }) || element.closest(":disabled, svg, .unseen-text, option")) continue;
          const text = element.matches("input[type=range]") ? "" : element.matches("textarea, input") ? element.value : [...element.childNodes].filter(n => n.nodeType === 3).map(n => n.data).join("").trim();
          const back = behind(element), size = parseFloat(style.fontSize);
          if (text) {
            const c = ratio(over(parse(style.color), back), back), wanted = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
            if (c < wanted) found.push(`${element.tagName} "${text.slice(0, 30)}": ${c.toFixed(2)}`);
          }
          if (element.matches("textarea, input[type=password]")) {
            const c = ratio(over(parse(style.borderTopColor), behind(element.parentElement)), behind(element.parentElement));
            if (c < 3) found.push(`edge of ${element.id}: ${c.toFixed(2)}`);
          }
        }
        return found;
        """;

    private static readonly string[] Controls =
        ["button", "link", "textbox", "slider", "application", "checkbox", "radio", "combobox", "img", "image"];

    /// <summary>Checks the page as it is now.</summary>
    internal static void Passes(Chromium browser, string where)
    {
        browser.Keep(where);
        Assert.True(Overflow(browser) <= 0, $"{where}: the page is {Overflow(browser)} pixels wider than its window");
        Assert.Equal([], ((IEnumerable<object>)browser.Run(Contrast)!).Select(found => $"{where}: {found}"));
        Assert.Equal([], Nameless(browser).Select(found => $"{where}: {found}"));
    }

    private static long Overflow(Chromium browser) =>
        (long)browser.Run("return document.documentElement.scrollWidth - document.documentElement.clientWidth")!;

    // As the browser tells a screen reader: controls and pictures without a name.
    private static IEnumerable<string> Nameless(Chromium browser)
    {
        browser.Send("Accessibility.enable");
        JsonElement tree = JsonSerializer.SerializeToElement(browser.Send("Accessibility.getFullAXTree"));
        foreach (JsonElement node in tree.GetProperty("nodes").EnumerateArray())
        {
            bool ignored = node.TryGetProperty("ignored", out JsonElement flag) && flag.GetBoolean();
            string role = node.TryGetProperty("role", out JsonElement r) ? r.GetProperty("value").GetString() ?? "" : "";
            string name = node.TryGetProperty("name", out JsonElement n) && n.TryGetProperty("value", out JsonElement v) ? v.GetString() ?? "" : "";
            if (!ignored && Controls.Contains(role) && name.Trim().Length == 0)
            {
                yield return $"a {role} without a name: {node}";
            }
        }
    }
}
