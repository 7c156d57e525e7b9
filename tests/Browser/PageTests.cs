using System.Net;
using System.Text.Json;
using Ldvc.App.Web;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Lab.Synthetic;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Data;
using Ldvc.Tests.Imaging;
using Ldvc.Tests.Serialization;
using Ldvc.Tests.Web;
using OpenQA.Selenium;
using OpenQA.Selenium.Interactions;
using Xunit;

namespace Ldvc.Tests.Browser;

/// <summary>The page of `ldvc serve` in a real browser.</summary>
public sealed class PageTests(Chromium browser) : IClassFixture<Chromium>, IDisposable
{
    // Quotes, markup, a word from right to left, an entity.
    private const string OddNames = "the \"big\" cat's\n<b>bold</b>\n\u05d7\u05ea\u05d5\u05dc\n&amp";

    private readonly TempFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task APictureIsDroppedNamedLabelledAndSaved()
    {
        await using var server = await OpenAsync();
        string picture = Picture("a <b>\"photo\".png", 90, 60);
        SetNames(OddNames);
        browser.Drop("stage", picture);
        Segmented();
        JsonElement expected = await server.SegmentAsync(await File.ReadAllBytesAsync(picture, Token), OddNames);
        Assert.Equal(Names(expected), Legend());
        Assert.Equal("4", browser.At("status").Text.Split(' ')[3]);
        Assert.Equal(0L, browser.Run("return document.querySelectorAll('#legend b, #legend script').length"));

        // Each name stands in an element of its own direction.
        Assert.Equal((long)Legend().Length, browser.Run("return document.querySelectorAll('#legend bdi').length"));

        // What the canvas shows at a pixel is what is read out there.
        byte[] labels = LabelPng.Decode(expected.GetProperty("labels").GetBytesFromBase64(), "labels").Labels;
        foreach (var (x, y) in new[] { (1, 1), (45, 30), (88, 58) })
        {
            Hover(x, y, 90, 60);
            Assert.Equal(expected.GetProperty("classes")[labels[(y * 90) + x]].GetProperty("name").GetString(), browser.At("tipName").Text);
        }

        // Nothing is above a probability of 1.
        browser.Run("const r = document.getElementById('background'); r.value = 1; r.dispatchEvent(new Event('input')); r.dispatchEvent(new "
            + "Event('change'))");
        browser.Until(() => Legend().SequenceEqual(["no class"]), "no class anywhere");
        Assert.Equal("1.00", browser.At("backgroundText").Text);
        browser.Run("const r = document.getElementById('background'); r.value = 0; r.dispatchEvent(new Event('input')); r.dispatchEvent(new "
            + "Event('change'))");
        browser.Until(() => !Legend().Contains("no class"), "classes again");

        browser.Send("Browser.setDownloadBehavior", ("behavior", "allow"), ("downloadPath", _folder.Root));
        foreach (var (id, name, key) in new[] { ("saveLabels", "a _b__photo_.png", "labels"),
            ("saveOverlay", "a _b__photo_.overlay.png", "overlay") })
        {
            browser.At(id).Click();
            byte[] saved = expected.GetProperty(key).GetBytesFromBase64();
            string file = Path.Combine(_folder.Root, name);
            browser.Until(() => File.Exists(file) && new FileInfo(file).Length == saved.Length, name);
            Assert.Equal(saved, await File.ReadAllBytesAsync(file, Token));
        }

        NothingElse(server);
    }

    [Fact]
    public async Task ErrorsAreSentencesAndThePageGoesOn()
    {
        await using var server = await OpenAsync();
        SetNames("cat, cat");
        browser.Drop("stage", Picture("p.png", 40, 30));
        browser.Until(() => browser.At("error").Text.Length > 0, "an error");
        Assert.Equal("classes: class name 'cat' stands twice (as class 0 and 1), expected different names", browser.At("error").Text);
        Assert.Equal("alert", browser.At("error").GetAttribute("role"));
        Assert.Single(browser.Console(), line => line.Contains("400", StringComparison.Ordinal));

        string damaged = _folder.File("<x>.png");
        File.WriteAllBytes(damaged, [1, 2, 3]);
        browser.Drop("stage", damaged);
        browser.Until(() => browser.At("error").Text.Contains("<x>.png: not a picture", StringComparison.Ordinal), "an error about the file");
        string text = _folder.File("notes.txt");
        File.WriteAllText(text, "no picture");
        browser.Drop("stage", text);
        browser.Until(() => browser.At("error").Text == "expected a picture", "an error about the kind");

        SetNames("cat, dog");
        browser.At("run").Click();
        Segmented();
        Assert.Equal("", browser.At("error").Text);
        NothingElse(server);
    }

    [Theory]
    [InlineData(1280, false)]
    [InlineData(1280, true)]
    [InlineData(360, false)]
    [InlineData(360, true)]
    public async Task LightAndDarkWideAndNarrow(int width, bool dark)
    {
        await using var server = await OpenAsync(width: width, dark: dark);
        PageCheck.Passes(browser, $"before {width}{(dark ? " dark" : "")}");
        Assert.Equal(dark, (bool)browser.Run("return getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0] < 60")!);
        SetNames("cat\n" + new string('w', 8) + "\n\u05d7\u05ea\u05d5\u05dc");
        browser.Drop("stage", Picture("p.png", 300, 120));
        Segmented();
        PageCheck.Passes(browser, $"after {width}{(dark ? " dark" : "")}");
        SetNames("cat, cat");
        browser.At("run").Click();
        browser.Until(() => browser.At("error").Text.Length > 0, "an error");
        PageCheck.Passes(browser, $"error {width}{(dark ? " dark" : "")}");
        browser.Console();
        NothingElse(server);
    }

    [Fact]
    public async Task EverythingWorksFromTheKeyboard()
    {
        await using var server = await OpenAsync();
        browser.Drop("stage", Picture("p.png", 80, 60));
        Segmented();
        browser.Run("document.activeElement.blur()");
        var reached = new List<string>();
        for (int i = 0; i < 30 && (reached.Count < 2 || reached[^1].Length > 0); i++)
        {
            Keys_(Keys.Tab);
            string id = (string)browser.Run("const e = document.activeElement; return e === document.body ? '' : e.id || 'class'")!;
            Assert.True(id.Length == 0 || (bool)browser.Run("const s = getComputedStyle(document.activeElement); return s.outlineStyle !== 'none' && "
                + "parseFloat(s.outlineWidth) >= 2")!, $"{id}: no visible focus");
            reached.Add(id);
        }

        Assert.Equal(
            ["masks", "names", "choose", "run", "background", "opacity", "class", "saveLabels", "saveOverlay"],
            reached.Where(id => id.Length > 0).Distinct());

        // The mark: what the pointer shows, by arrow keys.
        browser.Run("document.getElementById('masks').focus()");
        Keys_(Keys.ArrowRight);
        string first = browser.At("tipName").Text;
        Assert.Contains(first, Legend());
        Assert.Equal(first, browser.Run("return document.getElementById('read').textContent"));
        long left = (long)browser.Run("return Math.round(document.getElementById('mark').getBoundingClientRect().left)")!;
        Keys_(Keys.ArrowRight);
        Assert.True((long)browser.Run("return Math.round(document.getElementById('mark').getBoundingClientRect().left)")! > left);
        Keys_(Keys.Escape);
        Assert.False(browser.At("tip").Displayed);

        // A class is shown alone while it is pressed.
        browser.Run("document.querySelector('#legend button').focus()");
        Keys_(Keys.Enter);
        Assert.Equal("true", browser.Run("return document.querySelector('#legend button').getAttribute('aria-pressed')"));
        Keys_(Keys.Space);
        Assert.Equal("false", browser.Run("return document.querySelector('#legend button').getAttribute('aria-pressed')"));

        SetNames("cat");
        browser.Run("document.getElementById('names').focus()");
        new Actions(browser.Driver).KeyDown(Keys.Control).SendKeys(Keys.Enter).KeyUp(Keys.Control).Perform();
        browser.Until(() => Legend().SequenceEqual(["cat"]), "the new names");
        NothingElse(server);
    }

    [Fact]
    public async Task ATokenIsAskedForAndKept()
    {
        await using var server = await OpenAsync(
            settings => settings with { Token = AccessToken.Read("--token", "open sesame".Replace(' ', '-'), null) }, wait: false);
        browser.Until(() => browser.At("tokenForm").Displayed, "the form");
        PageCheck.Passes(browser, "token");
        browser.At("token").SendKeys("wrong" + Keys.Enter);
        browser.Until(() => browser.At("error").Text == "The token is not the server's.", "a refusal");
        browser.At("token").Clear();
        browser.At("token").SendKeys("open-sesame" + Keys.Enter);
        Ready();
        Assert.False(browser.At("tokenForm").Displayed);
        browser.Drop("stage", Picture("p.png", 40, 30));
        Segmented();
        browser.Run("sessionStorage.clear()");

        // In the address, after #: it is used and does not stay there.
        browser.Open($"http://localhost:{server.Port}/#token=open%2Dsesame");
        Ready();
        Assert.Equal($"http://localhost:{server.Port}/", browser.Driver.Url);
        browser.Run("sessionStorage.clear()");
        browser.Console();
        NothingElse(server);
    }

    [Fact]
    public async Task ABusyServerIsAskedAgainAndAStoppedRequestIsGivenUp()
    {
        await using var server = await OpenAsync(settings => settings with { Limits = settings.Limits with { MaxWaiting = 0 } });
        Assert.True(server.Service.Turn.TryEnter());
        browser.Drop("stage", Picture("p.png", 40, 30));
        browser.Until(() => browser.At("status").Text.StartsWith("The server is busy; trying again in ", StringComparison.Ordinal), "a busy server");
        browser.At("stop").Click();
        browser.Until(() => browser.At("status").Text == "stopped", "an end");
        browser.At("run").Click();
        browser.Until(() => browser.At("status").Text.StartsWith("The server is busy", StringComparison.Ordinal), "a busy server");
        server.Service.Turn.Leave();
        Segmented();
        browser.Console();
        NothingElse(server);
    }

    private async Task<Served> OpenAsync(Func<ServerSettings, ServerSettings>? change = null, int width = 1280, bool dark = false, bool wait = true)
    {
        _ = browser.Driver;
        Served server = await Served.StartAsync(TinyClip.Folder, change);
        browser.Open($"http://localhost:{server.Port}/", width, dark: dark);
        if (wait)
        {
            Ready();
        }

        return server;
    }

    private void Ready() => browser.Until(
        () => ((string)browser.Run("return document.getElementById('names').value")!).StartsWith("person", StringComparison.Ordinal), "the model");

    private void Segmented() => browser.Until(() => browser.At("files").Displayed && !browser.At("stop").Displayed, "labels");

    private void SetNames(string names)
    {
        IWebElement box = browser.At("names");
        box.Clear();
        box.SendKeys(names);
    }

    private void Keys_(string keys) => new Actions(browser.Driver).SendKeys(keys).Perform();

    private void Hover(int x, int y, int width, int height)
    {
        var box = (Dictionary<string, object>)browser.Run(
            "const b = document.getElementById('masks').getBoundingClientRect(); return { x: b.x, y: b.y, width: b.width, height: b.height }")!;
        double Of(string key) => Convert.ToDouble(box[key], System.Globalization.CultureInfo.InvariantCulture);
        browser.Send(
            "Input.dispatchMouseEvent",
            ("type", "mouseMoved"),
            ("x", Of("x") + ((x + 0.5) / width * Of("width"))),
            ("y", Of("y") + ((y + 0.5) / height * Of("height"))));
    }

    private string[] Legend() => [.. ((IEnumerable<object>)browser.Run("return [...document.querySelectorAll('#legend bdi')].map(e => "
        + "e.textContent)")!).Select(name => (string)name)];

    private static string[] Names(JsonElement answer) =>
    [
        .. answer.GetProperty("classes").EnumerateArray().Where(c => c.GetProperty("pixels").GetInt64() > 0).OrderByDescending(
            c => c.GetProperty("pixels").GetInt64())
            .Select(c => c.GetProperty("name").GetString()!),
    ];

    private string Picture(string name, int width, int height)
    {
        string file = _folder.File(name);
        ImageWriter.WritePng(ResizeLinear.Apply(new SceneDataset("val", 3).Read(2).Image, width, height), file);
        return file;
    }

    // No request left the host, and the console got neither an error nor a warning.
    private void NothingElse(Served server)
    {
        Assert.Equal([], browser.Console());
        Assert.All(browser.Requests(), url => Assert.Matches($"^(http://localhost:{server.Port}/|blob:|data:|about:)", url));
        Assert.Equal("", server.Error);
    }
}
