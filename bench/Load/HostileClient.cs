using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Ldvc.Imaging.Writing;
using Ldvc.Lab.Synthetic;

namespace Ldvc.Bench.Load;

/// <summary>Sends what no friendly client sends, over connections of its own.</summary>
/// <param name="port">The server's port on this machine.</param>
/// <param name="token">Its token.</param>
internal sealed partial class HostileClient(int port, string token)
{
    private const string Boundary = "-----x";
    private const int ChunkBytes = 1 << 20;

    private readonly byte[] _bomb = UnfoldingPng.Create(20_000, 10_000);
    private readonly byte[] _picture = ImageWriter.EncodePng(new SceneDataset("val", 1).Read(0).Image);

    /// <summary>Sends one and tells what came: a status code, or "closed".</summary>
    internal async Task<string> SendAsync(HostileKind kind, CancellationToken cancellation)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, cancellation).ConfigureAwait(false);
        NetworkStream stream = client.GetStream();
        try
        {
            await SendAsync(kind, stream, cancellation).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // Closed or answered before all was sent.
        }

        return kind == HostileKind.Truncated || kind == HostileKind.Leaves
            ? "closed"
            : await OutcomeAsync(stream, cancellation).ConfigureAwait(false);
    }

    private async Task SendAsync(HostileKind kind, NetworkStream stream, CancellationToken cancellation)
    {
        if (kind == HostileKind.Bomb)
        {
            await PostAsync(stream, Form(_bomb, "cat"), cancellation).ConfigureAwait(false);
        }
        else if (kind == HostileKind.Oversized)
        {
            await WriteAsync(stream, Head("POST", 65L << 20), cancellation).ConfigureAwait(false);
        }
        else if (kind == HostileKind.Chunked)
        {
            await ChunksAsync(stream, cancellation).ConfigureAwait(false);
        }
        else if (kind == HostileKind.Truncated)
        {
            byte[] form = Form(_picture, "cat");
            await WriteAsync(stream, Head("POST", form.Length), cancellation).ConfigureAwait(false);
            await stream.WriteAsync(form.AsMemory(0, form.Length / 2), cancellation).ConfigureAwait(false);
        }
        else if (kind == HostileKind.Noise)
        {
            var noise = new byte[20_000];
            new Random(1).NextBytes(noise);
            await PostAsync(stream, Form(noise, "cat"), cancellation).ConfigureAwait(false);
        }
        else if (kind == HostileKind.Method)
        {
            await WriteAsync(stream, Head("DELETE", 0), cancellation).ConfigureAwait(false);
        }
        else if (kind == HostileKind.NoToken)
        {
            byte[] form = Form(_picture, "cat");
            await WriteAsync(stream, Head("POST", form.Length).Replace(token, "guess", StringComparison.Ordinal), cancellation).ConfigureAwait(false);
            await stream.WriteAsync(form, cancellation).ConfigureAwait(false);
        }
        else if (kind == HostileKind.ManyNames)
        {
            await PostAsync(
                stream, Form(_picture, string.Join('\n', Enumerable.Range(0, 5000).Select(i => $"name {i}"))), cancellation).ConfigureAwait(false);
        }
        else if (kind == HostileKind.Garbage)
        {
            await WriteAsync(stream, "\u0016\u0003\u0001 hello\r\n\r\n", cancellation).ConfigureAwait(false);
        }
        else if (kind == HostileKind.Leaves)
        {
            await PostAsync(stream, Form(_picture, "cat"), cancellation).ConfigureAwait(false);
            await Task.Delay(50, cancellation).ConfigureAwait(false);
        }
        else if (kind == HostileKind.Slow)
        {
            await DripAsync(stream, cancellation).ConfigureAwait(false);
        }
        else if (kind == HostileKind.HalfOpen)
        {
            await WriteAsync(stream, Head("POST", 1000)[..60], cancellation).ConfigureAwait(false);
        }
    }

    private async Task ChunksAsync(NetworkStream stream, CancellationToken cancellation)
    {
        string head = Head("POST", 0).Replace("Content-Length: 0", "Transfer-Encoding: chunked", StringComparison.Ordinal);
        string part = $"--{Boundary}\r\nContent-Disposition: form-data; name=\"image\"; filename=\"x\"\r\n\r\n";
        await WriteAsync(stream, $"{head}{part.Length:x}\r\n{part}\r\n", cancellation).ConfigureAwait(false);
        var chunk = new byte[ChunkBytes];
        for (int i = 0; i < 70; i++)
        {
            await WriteAsync(stream, $"{ChunkBytes:x}\r\n", cancellation).ConfigureAwait(false);
            await stream.WriteAsync(chunk, cancellation).ConfigureAwait(false);
            await WriteAsync(stream, "\r\n", cancellation).ConfigureAwait(false);
        }
    }

    private async Task DripAsync(NetworkStream stream, CancellationToken cancellation)
    {
        byte[] form = Form(_picture, "cat");
        await WriteAsync(stream, Head("POST", form.Length), cancellation).ConfigureAwait(false);
        for (int i = 0; i < form.Length; i++)
        {
            await stream.WriteAsync(form.AsMemory(i, 1), cancellation).ConfigureAwait(false);
            if (stream.DataAvailable)
            {
                return;
            }

            await Task.Delay(1000, cancellation).ConfigureAwait(false);
        }
    }

    private async Task PostAsync(NetworkStream stream, byte[] form, CancellationToken cancellation)
    {
        await WriteAsync(stream, Head("POST", form.Length), cancellation).ConfigureAwait(false);
        await stream.WriteAsync(form, cancellation).ConfigureAwait(false);
    }

    private static async Task<string> OutcomeAsync(NetworkStream stream, CancellationToken cancellation)
    {
        var buffer = new byte[4096];
        try
        {
            int read = await stream.ReadAsync(buffer, cancellation).ConfigureAwait(false);
            return Status().Match(Encoding.Latin1.GetString(buffer, 0, read)) is { Success: true } match ? match.Groups[1].Value : "closed";
        }
        catch (IOException)
        {
            return "closed";
        }
    }

    private string Head(string method, long length) =>
        $"{method} /api/segment HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: multipart/form-data; "
            + $"boundary={Boundary}\r\n"
        + $"Content-Length: {length}\r\nConnection: close\r\n\r\n";

    private static byte[] Form(byte[] image, string names)
    {
        using var form = new MemoryStream();
        form.Write(Encoding.UTF8.GetBytes($"--{Boundary}\r\nContent-Disposition: form-data; name=\"classes\"\r\n\r\n{names}\r\n"));
        form.Write(Encoding.UTF8.GetBytes($"--{Boundary}\r\nContent-Disposition: form-data; name=\"image\"; filename=\"x.png\"\r\n\r\n"));
        form.Write(image);
        form.Write(Encoding.UTF8.GetBytes($"\r\n--{Boundary}--\r\n"));
        return form.ToArray();
    }

    private static async Task WriteAsync(NetworkStream stream, string text, CancellationToken cancellation) =>
        await stream.WriteAsync(Encoding.Latin1.GetBytes(text), cancellation).ConfigureAwait(false);

    [GeneratedRegex(@"^HTTP/1\.1 (\d{3}) ")]
    private static partial Regex Status();
}
