using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Ldvc.App.Cli;
using Ldvc.App.Terminal;
using Ldvc.App.Web;
using Ldvc.Configuration;
using Ldvc.Imaging;
using Ldvc.Imaging.Writing;
using Ldvc.Inference;
using Ldvc.Lab.Synthetic;
using Ldvc.Model;
using Ldvc.Tensors;
using Ldvc.Tests.Cli;
using Ldvc.Tests.Clip;
using Ldvc.Tests.Data;
using Ldvc.Tests.Imaging;
using Ldvc.Tests.Import;
using Ldvc.Tests.Training;
using Ldvc.Training;
using Xunit;

namespace Ldvc.Tests.Web;

/// <summary>`ldvc serve`: the page, and what stands behind it.</summary>
public sealed class ServeTests : IDisposable
{
    private readonly TinyData _data = new();
    private readonly string _checkpoint;

    public ServeTests()
    {
        string run = _data.At("run");
        SmallRun.Train(SmallRun.OwnConfig(_data), run, "train.iterations=1", "model.head=dot", "model.adapter_init=identity");
        _checkpoint = SmallRun.Checkpoint(run, 1);
    }

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task AnswersWhatSegmentWrites()
    {
        string picture = _data.At("photo.jpg"), output = _data.At("out");
        RealFormats.Jpeg(RealFormats.Scene(150, 90, 5, 2, [0, 1, 3]).Picture, picture);
        (int code, _, string error) = CommandLine.Run(
            "segment",
            picture,
            "--checkpoint",
            _checkpoint,
            "--classes",
            "cat,a Zebra,blue sky",
            "--background",
            "0.3",
            "--out",
            output,
            "--threads",
            "1");
        Assert.Equal((0, ""), (code, error));

        await using var server = await Served.StartAsync(_checkpoint, settings => settings with { LogNames = true });
        JsonElement answer = await server.SegmentAsync(await File.ReadAllBytesAsync(picture, Token), "cat\na Zebra\r\n\nblue sky\n", "0.3");
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(output, "photo.png"), Token), answer.GetProperty("labels").GetBytesFromBase64());
        Assert.Equal(
            await File.ReadAllBytesAsync(Path.Combine(output, "photo.overlay.png"), Token), answer.GetProperty("overlay").GetBytesFromBase64());
        JsonElement file = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(output, "photo.json"), Token)).RootElement;
        Assert.Equal(file.GetProperty("background").GetDouble(), answer.GetProperty("background").GetDouble());
        foreach (var (expected, got) in file.GetProperty("classes").EnumerateArray().Zip(answer.GetProperty("classes").EnumerateArray()))
        {
            foreach (string key in new[] { "index", "name", "pixels", "share" })
            {
                Assert.Equal(expected.GetProperty(key).ToString(), got.GetProperty(key).ToString());
            }
        }

        Assert.Equal([true, false, true], answer.GetProperty("classes").EnumerateArray().Select(c => c.GetProperty("seen").GetBoolean()));
        await server.LoggedAsync("photo.jpg  150x90, 3 classes");
    }

    [Fact]
    public async Task SynonymsAndManyClassesAreAnsweredAsSegmentWritesThem()
    {
        byte[] picture = ImageWriter.EncodePng(RealFormats.Scene(60, 50, 6, 2, [0, 1, 3]).Picture);
        await using var server = await Served.StartAsync(_checkpoint);
        JsonElement few = await server.SegmentAsync(picture, "zebra; Cat # seen by its second name\nblue tent; kite");
        Assert.Equal(["zebra", "blue tent"], few.GetProperty("classes").EnumerateArray().Select(c => c.GetProperty("name").GetString()));
        Assert.Equal([true, false], few.GetProperty("classes").EnumerateArray().Select(c => c.GetProperty("seen").GetBoolean()));
        Assert.Equal(255, few.GetProperty("unlabelled").GetInt32());

        JsonElement many = await server.SegmentAsync(picture, string.Join('\n', Enumerable.Range(0, 300).Select(i => $"name {i}")), "1");
        Assert.Equal((300, 65535), (many.GetProperty("classes").GetArrayLength(), many.GetProperty("unlabelled").GetInt32()));
        Assert.All(PngLabels.Decode(many.GetProperty("labels").GetBytesFromBase64(), "labels").Labels, label => Assert.Equal(65535, label));
        Assert.Equal(
            "classes, line 2: expected class names in UTF-8, found 'caf\uFFFD' with bytes that are not",
            await server.RefusedAsync(server.PostAsync(picture, "cat\ncaf\uFFFD", null)));
    }

    [Fact]
    public async Task AClipAloneIsServedAsSegmentLabelsWithIt()
    {
        string picture = _data.At("photo.png"), output = _data.At("free");
        ImageWriter.WritePng(RealFormats.Scene(60, 50, 6, 2, [0, 1, 3]).Picture, picture);
        (int code, _, string error) = CommandLine.Run(
            "segment", picture, "--clip", TinyClip.Folder, "--classes", "cat; kitten, blue sky", "--out", output, "--threads", "1");
        Assert.Equal((0, ""), (code, error));
        await using var server = await Served.StartAsync(TinyClip.Folder);
        JsonElement model = await server.GetJsonAsync("api/model");
        Assert.Equal(JsonValueKind.Null, model.GetProperty("checkpoint").ValueKind);
        Assert.True(model.GetProperty("classes").GetArrayLength() > 1);
        JsonElement answer = await server.SegmentAsync(await File.ReadAllBytesAsync(picture, Token), "cat; kitten\nblue sky");
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(output, "photo.png"), Token), answer.GetProperty("labels").GetBytesFromBase64());
        Assert.Equal(
            "scene: expected a model trained on drawn scenes, found a CLIP alone.",
            await server.RefusedAsync(server.Client.GetAsync(new Uri("api/scene?index=0", UriKind.Relative), Token)));
    }

    // The page finds a pixel's class by its colour.
    [Fact]
    public void EveryClassHasAColourOfItsOwn() =>
        Assert.Equal(256, Enumerable.Range(0, 256).Select(i => LabelPalette.Bright[(byte)i]).Distinct().Count());

    [Fact]
    public async Task ManyRequestsAtOnceAndManyListsOfNames()
    {
        byte[] picture = ImageWriter.EncodePng(RealFormats.Scene(40, 30, 6, 2, [0, 1, 3]).Picture);
        await using var server = await Served.StartAsync(_checkpoint);
        string[] lists = [.. Enumerable.Range(0, 12).Select(i => $"cat,name {i}")];
        JsonElement[] first = await Task.WhenAll(lists.Select(names => server.SegmentAsync(picture, names)));
        JsonElement[] second = await Task.WhenAll(lists.Reverse().Select(names => server.SegmentAsync(picture, names)));
        Assert.Equal(first.Select(Labels), second.Reverse().Select(Labels));
        static string Labels(JsonElement answer) => answer.GetProperty("labels").GetString()!;
    }

    [Fact]
    public async Task DescribesTheModel()
    {
        await using var server = await Served.StartAsync(_checkpoint);
        JsonElement model = await server.GetJsonAsync("api/model");
        Assert.Equal(("ckpt-00000001.safetensors", 1, "inductive", 0), (
            model.GetProperty("checkpoint").GetString(),
            model.GetProperty("step").GetInt32(),
            model.GetProperty("setting").GetString(),
            model.GetProperty("scenes").GetInt32()));
        Assert.Equal(0, model.GetProperty("background").GetDouble());
        Assert.Equal(
            ["cat", "dog", "blue sky", "traffic cone"], model.GetProperty("classes").EnumerateArray().Select(c => c.GetProperty("name").GetString()));
        Assert.Equal([true, true, true, false], model.GetProperty("classes").EnumerateArray().Select(c => c.GetProperty("seen").GetBoolean()));

        using HttpResponseMessage page = await server.Client.GetAsync(new Uri("", UriKind.Relative), Token);
        string html = await page.Content.ReadAsStringAsync(Token);
        Assert.Equal("text/html", page.Content.Headers.ContentType!.MediaType);
        Assert.Contains("connect-src 'self'", page.Headers.GetValues("Content-Security-Policy").Single());
        Assert.DoesNotMatch(new Regex("(src|href)=\"(https?:)?//"), html);
    }

    [Fact]
    public async Task AnImportedCheckpointIsServed()
    {
        string file = _data.At("imported.safetensors");
        ZegClipMini.Import(file);
        await using var server = await Served.StartAsync(file);
        JsonElement model = await server.GetJsonAsync("api/model");
        Assert.Equal(ZegClipMini.Classes, model.GetProperty("classes").EnumerateArray().Select(c => c.GetProperty("name").GetString()));
        Assert.Equal(15, model.GetProperty("classes").EnumerateArray().Count(c => c.GetProperty("seen").GetBoolean()));
        JsonElement answer = await server.SegmentAsync(
            await File.ReadAllBytesAsync(ZegClipMini.At("p2.png"), Token), string.Join('\n', ZegClipMini.Classes));
        await File.WriteAllBytesAsync(_data.At("served.png"), answer.GetProperty("labels").GetBytesFromBase64(), Token);
        byte[] expected = LabelPng.Read(ZegClipMini.At("p2.labels.png")).Labels, labels = LabelPng.Read(_data.At("served.png")).Labels;
        Assert.InRange(labels.Zip(expected).Count(pair => pair.First != pair.Second), 0, 1);
    }

    [Fact]
    public async Task DrawsScenesForAModelOfScenes()
    {
        string run = _data.At("scenes");
        _data.Text($"base: {SmallRun.Config("base")}\ndata: {{kind: synthetic, synthetic: {{train_count: 2, val_count: 2}}}}\n", "scenes.yaml");
        SmallRun.Train(_data.At("scenes.yaml"), run, "train.iterations=1");
        await using var server = await Served.StartAsync(SmallRun.Checkpoint(run, 1));
        JsonElement model = await server.GetJsonAsync("api/model");
        Assert.Equal((2, 0.2), (model.GetProperty("scenes").GetInt32(), model.GetProperty("background").GetDouble()));
        JsonElement scene = await server.GetJsonAsync("api/scene?index=1");
        RgbImage drawn = ImageReader.Decode(scene.GetProperty("image").GetBytesFromBase64(), "scene");
        var (expected, truth) = new SceneDataset("val", 2).Read(1);
        Assert.Equal(expected.Pixels, drawn.Pixels);
        Assert.Equal(truth.Labels.Where(l => l != 255).Distinct().Count(), scene.GetProperty("classes").GetArrayLength());
        Assert.Equal(
            "scene: expected a number from 0 to 1, found 2.",
            await server.RefusedAsync(server.Client.GetAsync(new Uri("api/scene?index=2", UriKind.Relative), Token)));
        Assert.Equal(
            "index: expected a whole number of at least 0, found ''.",
            await server.RefusedAsync(server.Client.GetAsync(new Uri("api/scene", UriKind.Relative), Token)));
    }

    [Fact]
    public async Task RefusesInOneSentenceAndGoesOn()
    {
        byte[] picture = ImageWriter.EncodePng(RealFormats.Scene(40, 30, 6, 2, [0, 1, 3]).Picture);
        await using var server = await Served.StartAsync(_checkpoint);
        Task<string> Refused(byte[]? image, string? names, string? background = null) =>
            server.RefusedAsync(server.PostAsync(image, names, background));
        Assert.Equal("image: expected a picture's file, found none.", await Refused(null, "cat"));
        Assert.Equal("classes: expected class names separated by commas, found ''.", await Refused(picture, null));
        Assert.Equal("classes: class name 'Cat' stands twice (as class 0 and 1), expected different names", await Refused(picture, "cat, Cat"));
        Assert.Equal("background: expected a number from 0 to 1, found '2'.", await Refused(picture, "cat", "2"));
        Assert.StartsWith("photo.jpg: not a picture that can be read", await Refused([1, 2, 3], "cat"));
        Assert.Contains("tokens with the template around it", await Refused(picture, string.Concat(Enumerable.Repeat("zebra ", 90))));
        Assert.Equal("expected a form (multipart/form-data) with image and classes.", await server.RefusedAsync(
            server.Client.PostAsync(new Uri("api/segment", UriKind.Relative), new StringContent("{}"), Token), HttpStatusCode.UnsupportedMediaType));
        Assert.Equal(
            "scene: expected a model trained on drawn scenes, found one of folder.",
            await server.RefusedAsync(server.Client.GetAsync(new Uri("api/scene?index=0", UriKind.Relative), Token)));
        Assert.StartsWith(
            "expected /, /page.css, ",
            await server.RefusedAsync(server.Client.GetAsync(new Uri("secret", UriKind.Relative), Token), HttpStatusCode.NotFound));
        Assert.Equal(
            "expected at most 64 MiB.",
            await server.RefusedAsync(server.PostAsync(new byte[ServerLimits.MaxBytes + 1], "cat", null), HttpStatusCode.RequestEntityTooLarge));
        Assert.StartsWith(
            "expected /, /page.css, ",
            await server.RefusedAsync(server.Client.GetAsync(new Uri("api/model.json", UriKind.Relative), Token), HttpStatusCode.NotFound));
        using var packed = new ByteArrayContent([1, 2, 3]);
        packed.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=x");
        packed.Headers.ContentEncoding.Add("gzip");
        Assert.Equal(
            "expected a form as it is, found one with Content-Encoding 'gzip'.",
            await server.RefusedAsync(
                server.Client.PostAsync(new Uri("api/segment", UriKind.Relative), packed, Token), HttpStatusCode.UnsupportedMediaType));
        using var half = new StringContent("--x\r\nContent-Disposition: form-data; name=\"classes\"\r\n\r\nca");
        half.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=x");
        Assert.Equal(
            "expected a whole form, found no end: no line --x-- closes it.",
            await server.RefusedAsync(server.Client.PostAsync(new Uri("api/segment", UriKind.Relative), half, Token)));

        // What is not decoded would be a name.
        using var encoded = new StringContent(
            "--x\r\nContent-Disposition: form-data; name=\"classes\"\r\nContent-Transfer-Encoding: base64\r\n\r\nY2F0\r\n--x--\r\n");
        encoded.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=x");
        Assert.Equal(
            "classes: expected it as it is, found Content-Transfer-Encoding 'base64'.",
            await server.RefusedAsync(server.Client.PostAsync(new Uri("api/segment", UriKind.Relative), encoded, Token)));
        using var named = new StringContent(
            $"--x\r\nContent-Disposition: form-data; name=\"image\"; filename=\"C:\\pictures\\{new string('p', 300)}.png\"\r\n\r\n?\r\n--x\r\n"
                + "Content-Disposition: form-data; name=\"classes\"\r\n\r\ncat\r\n--x--\r\n");
        named.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=x");
        Assert.StartsWith(
            $"{new string('p', 255)}...: not a picture that can be read",
            await server.RefusedAsync(server.Client.PostAsync(new Uri("api/segment", UriKind.Relative), named, Token)));
        Assert.Equal("", server.Error);
        Assert.Equal(40, (await server.SegmentAsync(picture, "cat")).GetProperty("width").GetInt32());
    }

    // A page elsewhere must not use the program by way of its visitor's browser.
    [Fact]
    public async Task OtherSitesAreRefused()
    {
        await using var server = await Served.StartAsync(_checkpoint);
        using var renamed = new HttpRequestMessage(HttpMethod.Get, "api/model");
        renamed.Headers.Host = "elsewhere.example";
        Assert.Equal("expected a request to localhost.", await server.RefusedAsync(server.Client.SendAsync(renamed, Token)));
        foreach (var (name, value) in new[] { ("Sec-Fetch-Site", "cross-site"), ("Origin", "https://elsewhere.example") })
        {
            using var foreign = new HttpRequestMessage(HttpMethod.Get, "api/model");
            foreign.Headers.Add(name, value);
            Assert.Contains("from another site", await server.RefusedAsync(server.Client.SendAsync(foreign, Token), HttpStatusCode.Forbidden));
        }

        foreach (string host in new[] { $"LOCALHOST:{server.Port}", "127.0.0.1", "localhost" })
        {
            using var named = new HttpRequestMessage(HttpMethod.Get, "api/model");
            named.Headers.Host = host;
            using HttpResponseMessage answer = await server.Client.SendAsync(named, Token);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        // No browser speaks so; checks of a server's health do.
        using RawConnection old = await server.ConnectAsync("GET /healthz HTTP/1.0\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200", await old.ReadToEndAsync());

        // A link to the page is none of that.
        using var link = new HttpRequestMessage(HttpMethod.Get, "");
        link.Headers.Add("Sec-Fetch-Site", "cross-site");
        link.Headers.Add("Sec-Fetch-Mode", "navigate");
        using HttpResponseMessage page = await server.Client.SendAsync(link, Token);
        Assert.True(page.IsSuccessStatusCode);
    }

    // A proxy on the same machine passes its own name on; no other page knows the token.
    [Fact]
    public async Task WithATokenAnyNameWillDo()
    {
        await using var server = await Served.StartAsync(
            _checkpoint, settings => settings with { Token = AccessToken.Read("--token", "word", null) });
        foreach (var (sent, origin, expected) in new[]
        {
            ("Bearer word", "https://elsewhere.example", HttpStatusCode.OK), ("Bearer no", "https://elsewhere.example", HttpStatusCode.Unauthorized),
            ("Bearer word", "https://another.example", HttpStatusCode.Forbidden),
        })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "api/model");
            request.Headers.Host = "elsewhere.example";
            request.Headers.Add("Origin", origin);
            request.Headers.TryAddWithoutValidation("Authorization", sent);
            using HttpResponseMessage answer = await server.Client.SendAsync(request, Token);
            Assert.Equal(expected, answer.StatusCode);
        }
    }

    [Fact]
    public async Task TheVerbServesUntilItIsStopped()
    {
        using var stop = new CancellationTokenSource();
        using var output = new StringWriter();
        using var error = new StringWriter();
        TextWriter shared = TextWriter.Synchronized(output);
        string json = _data.At("served.json");
        Task<int> verb = Task.Run(() => Application.Run(
            ["serve", "--checkpoint", _checkpoint, "--port", "0", "--threads", "1", "--json", json], shared, error, false, stop.Token), Token);
        Match listening;
        while (!(listening = Regex.Match(Text(), @"\(step 1\) at (http://localhost:\d+) - Ctrl-C stops")).Success)
        {
            Assert.False(verb.IsCompleted, error.ToString());
            await Task.Delay(20, Token);
        }

        using (var client = new HttpClient())
        {
            Assert.Contains("inductive", await client.GetStringAsync(new Uri(listening.Groups[1].Value + "/api/model"), Token));
        }

        // The same port a second time.
        string port = listening.Groups[1].Value.Split(':')[^1];
        Assert.Contains(
            $"cannot listen on port {port} of 127.0.0.1",
            CommandLine.Refuses("serve", "--checkpoint", _checkpoint, "--port", port, "--threads", "1"));
        await stop.CancelAsync();
        Assert.Equal(0, await verb);
        Assert.Equal("", error.ToString());
        Assert.Contains("stopped; pictures labelled: 0", Text());
        Assert.Equal(
            listening.Groups[1].Value, JsonDocument.Parse(await File.ReadAllTextAsync(json, Token)).RootElement.GetProperty("url").GetString());

        string Text()
        {
            lock (shared)
            {
                return output.ToString();
            }
        }
    }

    [Theory]
    [InlineData("--port", "65536", "--port: expected a whole number from 0 to 65535, found '65536'.")]
    [InlineData("--host", "nowhere", "--host: expected localhost or a numeric address, found 'nowhere'.")]
    [InlineData("--host", "192.0.2.1", "cannot listen on port 0 of 192.0.2.1")]
    [InlineData("--clip", "nowhere", "nowhere: no such file or folder; expected a CLIP checkpoint")]
    public void WhatCannotBeServed(string option, string value, string expected)
    {
        string[] line = ["serve", "--checkpoint", _checkpoint, option, value, "--threads", "1"];
        Assert.Contains(expected, CommandLine.Refuses(option == "--port" ? line : [.. line, "--port", "0"]));
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;
}
