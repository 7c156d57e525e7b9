// Labels a picture with class names of your choice:   dotnet run -- --checkpoint FILE --image photo.jpg --classes "cat, grass" --out labels
// The same as a web service:                          dotnet run -- --checkpoint FILE --serve http://localhost:5081
using Ldvc.Clip;
using Ldvc.Imaging;
using Ldvc.Inference;
using Ldvc.Tensors;

string[] known = ["--checkpoint", "--image", "--classes", "--out", "--clip", "--device", "--serve"];
var pairs = args.Chunk(2).ToArray();
if (pairs.Any(pair => pair.Length < 2 || !known.Contains(pair[0])) || pairs.DistinctBy(pair => pair[0]).Count() < pairs.Length)
{
    Console.Error.WriteLine($"usage: Embed with each at most once: {string.Join(" VALUE, ", known)} VALUE");
    return 2;
}

var options = pairs.ToDictionary(pair => pair[0][2..], pair => pair[1]);
string Option(string name, string? otherwise = null) =>
    options.GetValueOrDefault(name) ?? otherwise ?? throw new InputException($"--{name} is missing");
try
{
    // The ten lines.
    string[] classes = Option("classes", "red circle, blue square").Split(',', StringSplitOptions.TrimEntries);
    using var device = DeviceFactory.Open(Option("device", "cpu"));
    using var segmenter = Segmenter.Load(Option("checkpoint"), device, classes, options.GetValueOrDefault("clip"));
    if (!options.ContainsKey("serve"))
    {
        string file = Option("image");
        var result = segmenter.Label(ImageReader.Read(file), file);
        Directory.CreateDirectory(Option("out", "labels"));
        result.Write(Option("out", "labels"));
        Console.WriteLine($"{file}: {string.Join(", ", result.Classes.Select(c => $"{c.Name} {100 * c.Share:F1} %"))}");

        // CLIP by itself: how near the class names are to each other, if the CLIP is named.
        if (options.TryGetValue("clip", out string? clip))
        {
            using var embedder = ClipEmbedder.Load(clip, device);
            float[] features = embedder.EmbedTexts(classes);
            double cosine = Enumerable.Range(0, embedder.Width).Sum(i => (double)features[i] * features[((classes.Length - 1) * embedder.Width) + i]);
            Console.WriteLine($"cosine of '{classes[0]}' and '{classes[^1]}': {cosine:F3}");
        }

        return 0;
    }

    // One endpoint: a picture in the body, the label map (a PNG of class indices) back. One request computes at a time: the device's threads are
    // shared.
    var app = WebApplication.CreateBuilder().Build();
    var turn = new SemaphoreSlim(1);
    app.MapPost("/label", async (HttpRequest request) =>
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body);
        await turn.WaitAsync();
        try
        {
            return Results.Bytes(segmenter.Label(ImageReader.Decode(body.ToArray(), "the request's body")).EncodeLabels(), "image/png");
        }
        catch (InputException e)
        {
            return Results.BadRequest(e.Message);
        }
        finally
        {
            turn.Release();
        }
    });
    app.Run(Option("serve"));
    return 0;
}
catch (Exception e) when (e is InputException or IOException or UnauthorizedAccessException or FormatException)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}
