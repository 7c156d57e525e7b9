using Ldvc.Tensors;

namespace Ldvc.Configuration;

/// <summary>
/// Paths as people write them: "~" at the start is the home folder, $NAME and ${NAME} are environment variables. A shell has replaced them on a
/// command line, but not inside quotes, behind --set key=, or in a YAML file. Other people's home folders ("~name/") are refused.
/// </summary>
internal static class PathText
{
    /// <summary>The path with the home folder and variables put in; a file that is really called so wins.</summary>
    /// <param name="path">What was written.</param>
    /// <param name="source">The option or key, for messages.</param>
    /// <exception cref="InputException">A variable is not set, or the path starts with another user's home folder.</exception>
    public static string Expand(string path, string source)
    {
        if (!(path.StartsWith('~') || path.Contains('$', StringComparison.Ordinal)) || File.Exists(path) || Directory.Exists(path))
        {
            return path;
        }

        if (path == "~" || path.StartsWith("~/", StringComparison.Ordinal))
        {
            // The system gives no folder that is not there.
            string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            path = home.Length > 0
                ? home + path[1..]
                : throw new InputException(
                    $"{source}: there is no home folder for ~ in {ConfigText.Quote(path)}; expected the whole path, or HOME to be set.");
        }

        // .NET has no way to ask for another user's folder, and one called "~name" is not what anybody means.
        // A pattern is looked for by who reads it.
        if (path[0] == '~' && path.IndexOf('/', StringComparison.Ordinal) is > 1 and var slash && path.AsSpan(0, slash).IndexOfAny('*', '?') < 0
            && !Directory.Exists(path[..slash]))
        {
            throw new InputException($"{source}: the home folder of another user, {ConfigText.Quote(path[..slash])}, is not looked up; expected the "
                + $"whole path, or ./{path} for a folder of that name.");
        }

        var text = new System.Text.StringBuilder();
        for (int i = 0; i < path.Length;)
        {
            if (path[i] != '$')
            {
                text.Append(path[i++]);
                continue;
            }

            bool braces = i + 1 < path.Length && path[i + 1] == '{';
            int start = i + (braces ? 2 : 1), end = start;
            while (end < path.Length && (char.IsAsciiLetterOrDigit(path[end]) || path[end] == '_'))
            {
                end++;
            }

            string name = path[start..end];
            bool closed = !braces || (end < path.Length && path[end] == '}');
            if (name.Length == 0 || char.IsAsciiDigit(name[0]) || !closed)
            {
                // A dollar sign that is part of a file's name.
                text.Append(path[i++]);
                continue;
            }

            text.Append(Environment.GetEnvironmentVariable(name) is { Length: > 0 } value
                ? value
                : throw new InputException($"{source}: the environment variable {name} in {ConfigText.Quote(path)} is not set."));
            i = end + (braces ? 1 : 0);
        }

        return text.ToString();
    }
}
