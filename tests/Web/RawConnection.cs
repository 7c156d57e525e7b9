using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Ldvc.Tests.Web;

/// <summary>A connection to a server on which anything can be sent, also half of it.</summary>
internal sealed class RawConnection(TcpClient client) : IDisposable
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async Task SendAsync(string text) => await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(text), Token);

    /// <summary>All that comes until the server closes the connection.</summary>
    public async Task<string> ReadToEndAsync()
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            int read;
            while ((read = await client.GetStream().ReadAsync(buffer, Token)) > 0)
            {
                text.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }
        }
        catch (IOException)
        {
            // A reset is an end, too.
        }

        return text.ToString();
    }

    public void Dispose() => client.Dispose();
}
