using Ldvc.Configuration;
using Ldvc.Tensors;
using Ldvc.Tests.Serialization;
using Xunit;

namespace Ldvc.Tests.Configuration;

/// <summary>Configuration files written for one test, and the repository's own.</summary>
internal static class ConfigFiles
{
    /// <summary>The folder that holds Ldvc.sln.</summary>
    public static string Repository
    {
        get
        {
            string? folder = AppContext.BaseDirectory;
            while (folder is not null && !File.Exists(Path.Combine(folder, "Ldvc.sln")))
            {
                folder = Path.GetDirectoryName(folder);
            }

            Assert.NotNull(folder);
            return folder;
        }
    }

    public static LdvcConfig Load(string yaml, params string[] sets)
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("c.yaml"), yaml);
        return ConfigLoader.Load(folder.File("c.yaml"), sets);
    }

    /// <summary>Loading must fail with one short line; returns it without the folder.</summary>
    public static string Refuses(string yaml, params string[] sets)
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("c.yaml"), yaml);
        return Refuses(folder, "c.yaml", sets);
    }

    public static string Refuses(TempFolder folder, string name, params string[] sets)
    {
        var error = Assert.Throws<InputException>(() => ConfigLoader.Load(folder.File(name), sets));
        Assert.DoesNotContain('\n', error.Message);
        Assert.True(error.Message.Length < 700, error.Message);
        return error.Message.Replace(folder.Root + Path.DirectorySeparatorChar, "", StringComparison.Ordinal);
    }
}
