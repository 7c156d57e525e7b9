using System.Buffers;
using System.Text;
using Ldvc.Configuration;
using Ldvc.Tensors;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Ldvc.App.Web;

/// <summary>
/// The form of POST /api/segment: image, classes and perhaps background. It is read part by part into memory and never to the disk; what it holds
/// counts in
/// <see cref="HeldBytes"/> until it is disposed of.
/// </summary>
internal sealed class UploadForm : IDisposable
{
    private const int MaxTextBytes = 1 << 20;
    private const int MaxBoundary = 200;
    private const int FirstBuffer = 1 << 16;

    // What systems take; a longer one would stand in every message.
    private const int MaxName = 255;
    private const string Image = "image";
    private const string Names = "classes";
    private const string Threshold = "background";

    private static readonly string[] s_plain = ["identity", "binary", "8bit", "7bit"];

    private readonly HeldBytes _held;
    private byte[] _picture = [];
    private int _pictureBytes = -1;
    private long _taken;

    private UploadForm(HeldBytes held) => _held = held;

    /// <summary>The picture's file.</summary>
    internal ReadOnlyMemory<byte> Picture => _picture.AsMemory(0, Math.Max(0, _pictureBytes));

    /// <summary>What the client calls the picture, without folders; "image" when it does not say.</summary>
    internal string Name { get; private set; } = Image;

    /// <summary>The class names as sent; empty when they were not.</summary>
    internal string Classes { get; private set; } = "";

    /// <summary>The threshold as sent; empty when it was not.</summary>
    internal string Background { get; private set; } = "";

    /// <summary>Reads a request's form.</summary>
    /// <param name="request">The request.</param>
    /// <param name="held">Where its bytes count.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="RequestException">It is of another kind, too large, or there is no room for it.</exception>
    /// <exception cref="InputException">It is not whole, has no picture, or has parts that it should not have.</exception>
    internal static async Task<UploadForm> ReadAsync(HttpRequest request, HeldBytes held, CancellationToken cancellation)
    {
        string boundary = Boundary(request);
        if (request.ContentLength > ServerLimits.MaxBytes)
        {
            throw TooLarge();
        }

        var form = new UploadForm(held);
        try
        {
            await form.ReadPartsAsync(new MultipartReader(boundary, request.Body), cancellation).ConfigureAwait(false);
            return form._pictureBytes >= 0 ? form : throw new InputException("image: expected a picture's file, found none.");
        }
        catch (Exception e)
        {
            form.Dispose();
            if (e is BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge })
            {
                throw TooLarge();
            }

            if (e is InvalidDataException)
            {
                throw new InputException($"expected a whole form ({e.Message.TrimEnd('.')}).", e);
            }

            if (e is IOException and not BadHttpRequestException)
            {
                throw new InputException($"expected a whole form, found no end: no line --{boundary}-- closes it.", e);
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _held.Give(_taken);
        (_taken, _picture, _pictureBytes) = (0, [], -1);
    }

    private static RequestException TooLarge() =>
        new(StatusCodes.Status413PayloadTooLarge, RejectReasons.Bytes, $"expected at most {ServerLimits.MaxBytes >> 20} MiB.");

    private static string Boundary(HttpRequest request)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase))
        {
            throw new RequestException(
                StatusCodes.Status415UnsupportedMediaType, RejectReasons.Type, "expected a form (multipart/form-data) with image and classes.");
        }

        if (request.Headers.ContentEncoding.ToString() is { Length: > 0 } encoding and not "identity")
        {
            throw new RequestException(
                StatusCodes.Status415UnsupportedMediaType,
                RejectReasons.Type,
                $"expected a form as it is, found one with Content-Encoding {ConfigText.Quote(encoding)}.");
        }

        string boundary = HeaderUtilities.RemoveQuotes(type.Boundary).ToString();
        return boundary.Length is > 0 and <= MaxBoundary
            ? boundary
            : throw new InputException("expected a form with a boundary in its Content-Type.");
    }

    private async Task ReadPartsAsync(MultipartReader reader, CancellationToken cancellation)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (await reader.ReadNextSectionAsync(cancellation).ConfigureAwait(false) is { } section)
        {
            ContentDispositionHeaderValue? place = section.GetContentDispositionHeader();
            string name = HeaderUtilities.RemoveQuotes(place?.Name ?? "").ToString();
            if (name is not (Image or Names or Threshold))
            {
                throw new InputException($"expected a form with image, classes and perhaps background, found a part {ConfigText.Quote(name)}.");
            }

            RefuseEncoded(section, name);
            if (!seen.Add(name))
            {
                throw new InputException($"{name}: expected it once, found it twice.");
            }

            if (name == Image)
            {
                await ReadPictureAsync(section, place!, cancellation).ConfigureAwait(false);
            }
            else if (name == Names)
            {
                Classes = await ReadTextAsync(section, name, cancellation).ConfigureAwait(false);
            }
            else
            {
                Background = await ReadTextAsync(section, name, cancellation).ConfigureAwait(false);
            }
        }
    }

    // Nothing is decoded: the letters of an encoding would be taken for a name.
    private static void RefuseEncoded(MultipartSection section, string name)
    {
        foreach (string header in new[] { "Content-Transfer-Encoding", "Content-Encoding" })
        {
            string encoding = section.Headers is { } headers && headers.TryGetValue(header, out var value) ? value.ToString().Trim() : "";
            if (encoding.Length > 0 && !s_plain.Contains(encoding, StringComparer.OrdinalIgnoreCase))
            {
                throw new InputException($"{name}: expected it as it is, found {header} {ConfigText.Quote(encoding)}.");
            }
        }
    }

    private async Task ReadPictureAsync(MultipartSection section, ContentDispositionHeaderValue place, CancellationToken cancellation)
    {
        string file = Path.GetFileName(HeaderUtilities.RemoveQuotes(place.FileNameStar.HasValue ? place.FileNameStar : place.FileName).ToString());
        file = file[(file.LastIndexOf('\\') + 1)..];
        Name = file.Length == 0 ? Image : file.Length > MaxName ? file[..MaxName] + "..." : file;
        int length = 0;
        while (true)
        {
            if (length == _picture.Length)
            {
                Grow();
            }

            int read = await section.Body.ReadAsync(_picture.AsMemory(length), cancellation).ConfigureAwait(false);
            if (read == 0)
            {
                _pictureBytes = length;
                return;
            }

            length += read;
        }
    }

    // Twice as large each time, and never larger than a request may be.
    private void Grow()
    {
        int larger = Math.Min(Math.Max(FirstBuffer, 2 * _picture.Length), ServerLimits.MaxBytes + 1), more = larger - _picture.Length;
        if (more == 0)
        {
            throw TooLarge();
        }

        Take(more);
        Array.Resize(ref _picture, larger);
    }

    private async Task<string> ReadTextAsync(MultipartSection section, string name, CancellationToken cancellation)
    {
        if (MediaTypeHeaderValue.TryParse(section.ContentType, out var type) && type.Encoding is { } encoding
            && encoding.WebName is not ("utf-8" or "us-ascii"))
        {
            throw new InputException($"{name}: expected text in UTF-8, found {ConfigText.Quote(encoding.WebName)}.");
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer);
        try
        {
            using var text = new MemoryStream();
            int read;
            while ((read = await section.Body.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0)
            {
                if (text.Length + read > MaxTextBytes)
                {
                    throw new RequestException(
                        StatusCodes.Status413PayloadTooLarge, RejectReasons.Bytes, $"{name}: expected at most {MaxTextBytes >> 20} MiB of text.");
                }

                Take(read);
                text.Write(buffer, 0, read);
            }

            return Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Take(int bytes)
    {
        _held.Take(bytes);
        _taken += bytes;
    }
}
