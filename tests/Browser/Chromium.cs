using System.Diagnostics;
using System.Text.Json;
using OpenQA.Selenium;
using OpenQA.Selenium.Chrome;
using Xunit;

namespace Ldvc.Tests.Browser;

/// <summary>
/// A chromium without a window, driven by chromedriver, both as the system has them: nothing is downloaded. Names other than localhost do not
/// resolve, and what the page asked for, and said on its console, is kept.
/// </summary>
public sealed class Chromium : IDisposable
{
    // On a machine that runs all tests at once.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome"];

    private readonly ChromeDriver? _driver;
    private readonly ChromeDriverService? _service;

    public Chromium()
    {
        if (Names.Select(Find).FirstOrDefault(file => file is not null) is not { } browser || Find("chromedriver") is not { } driver)
        {
            return;
        }

        var options = new ChromeOptions { BinaryLocation = browser };
        options.AddArguments(
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-extensions",
            "--disable-background-networking",
            "--disable-component-update", "--disable-default-apps", "--disable-sync", "--force-color-profile=srgb",
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1");
        options.SetLoggingPreference("performance", LogLevel.All);
        options.SetLoggingPreference("browser", LogLevel.All);
        _service = ChromeDriverService.CreateDefaultService(Path.GetDirectoryName(driver), Path.GetFileName(driver));
        _service.SuppressInitialDiagnosticInformation = true;
        _service.HideCommandPromptWindow = true;
        _driver = new ChromeDriver(_service, options);
    }

    /// <summary>The browser; the test is skipped where there is none.</summary>
    internal ChromeDriver Driver
    {
        get
        {
            Assert.SkipWhen(_driver is null, "no browser (Debian: chromium, chromium-driver)");
            return _driver!;
        }
    }

    /// <summary>Opens an address in a window of a size and a colour scheme, with nothing left of what was there before.</summary>
    internal void Open(string address, int width = 1280, int height = 900, bool dark = false)
    {
        Send("Emulation.setDeviceMetricsOverride", ("width", width), ("height", height), ("deviceScaleFactor", 1), ("mobile", false));
        Send(
            "Emulation.setEmulatedMedia",
            ("features", new[] { new Dictionary<string, object> { ["name"] = "prefers-color-scheme", ["value"] = dark ? "dark" : "light" } }));
        Driver.Navigate().GoToUrl("about:blank");
        Console();
        Requests();
        Driver.Navigate().GoToUrl(address);
    }

    /// <summary>A command of the DevTools protocol.</summary>
    internal Dictionary<string, object?>? Send(string command, params (string Name, object Value)[] parameters) =>
        Driver.ExecuteCdpCommand(command, parameters.ToDictionary(p => p.Name, p => (object?)p.Value)) as Dictionary<string, object?>;

    /// <summary>Runs script in the page.</summary>
    internal object? Run(string script, params object[] arguments) => Driver.ExecuteScript(script, arguments);

    /// <summary>The element with an id.</summary>
    internal IWebElement At(string id) => Driver.FindElement(By.Id(id));

    /// <summary>Waits for something in the page.</summary>
    internal void Until(Func<bool> holds, string what)
    {
        var clock = Stopwatch.StartNew();
        while (!holds())
        {
            if (clock.Elapsed > Patience)
            {
                Assert.Fail(
                    $"waited in vain for {what}; the page says: {Run("return document.body.innerText")}; console: {string.Join(" | ", Console())}");
            }

            Thread.Sleep(20);
        }
    }

    /// <summary>Drops a file at the middle of an element, as the system's file manager does.</summary>
    internal void Drop(string id, string file)
    {
        IWebElement element = At(id);
        (int x, int y) = (element.Location.X + (element.Size.Width / 2), element.Location.Y + (element.Size.Height / 2));
        var data = new Dictionary<string, object> { ["items"] = Array.Empty<object>(), ["files"] = new[] { file }, ["dragOperationsMask"] = 1 };
        foreach (string type in new[] { "dragEnter", "dragOver", "drop" })
        {
            Send("Input.dispatchDragEvent", ("type", type), ("x", x), ("y", y), ("data", data));
        }
    }

    /// <summary>Where the variable LDVC_SCREENSHOTS names a folder, the page as it is now goes there, for people to look at.</summary>
    internal void Keep(string name)
    {
        if (Environment.GetEnvironmentVariable("LDVC_SCREENSHOTS") is { Length: > 0 } folder)
        {
            var shot = Send("Page.captureScreenshot", ("captureBeyondViewport", true));
            File.WriteAllBytes(Path.Combine(folder, name + ".png"), Convert.FromBase64String((string)shot!["data"]!));
        }
    }

    /// <summary>What the console got since it was asked last: errors and warnings.</summary>
    internal string[] Console() =>
        [.. Driver.Manage().Logs.GetLog("browser").Where(entry => entry.Level >= LogLevel.Warning).Select(entry => entry.Message)];

    /// <summary>Addresses that the page asked for since this was called last.</summary>
    internal string[] Requests() =>
    [
        .. Driver.Manage().Logs.GetLog("performance")
            .Select(entry => JsonDocument.Parse(entry.Message).RootElement.GetProperty("message"))
            .Where(message => message.GetProperty("method").GetString() == "Network.requestWillBeSent")
            .Select(message => message.GetProperty("params").GetProperty("request").GetProperty("url").GetString()!),
    ];

    /// <inheritdoc/>
    public void Dispose()
    {
        _driver?.Quit();
        _driver?.Dispose();
        _service?.Dispose();
    }

    private static string? Find(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
}
