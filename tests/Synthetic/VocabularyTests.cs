using Ldvc.Lab.Synthetic;
using Xunit;

namespace Ldvc.Tests.Synthetic;

public class VocabularyTests
{
    [Fact]
    public void EveryCombinationHasItsOwnIndexAndReadableName()
    {
        Assert.Equal(256, Vocabulary.CombinationCount);
        for (int i = 0; i < Vocabulary.CombinationCount; i++)
        {
            SceneClass sceneClass = SceneClass.FromIndex(i);
            Assert.Equal(i, sceneClass.Index);
            Assert.Equal(sceneClass, SceneClass.Parse(sceneClass.Name));
        }

        Assert.Equal("striped red star", new SceneClass(1, 0, 3).Name);
        Assert.Throws<ArgumentException>(() => SceneClass.Parse("red star"));
        Assert.Throws<ArgumentException>(() => SceneClass.Parse("striped pink star"));
    }

    [Fact]
    public void SeenClassesAreSpreadEvenly()
    {
        SceneClass[] seen = [.. SceneTask.Shapes.SeenNames.Select(SceneClass.Parse)];
        Assert.Equal(24, seen.Distinct().Count());
        Assert.All(seen.GroupBy(c => c.Texture), g => Assert.Equal(6, g.Count()));
        Assert.All(seen.GroupBy(c => c.Colour), g => Assert.Equal(3, g.Count()));
        Assert.All(seen.GroupBy(c => c.Shape), g => Assert.Equal(3, g.Count()));
    }

    [Fact]
    public void UnseenClassesAreNewCombinationsOfSeenWords()
    {
        SceneClass[] seen = [.. SceneTask.Shapes.SeenNames.Select(SceneClass.Parse)];
        SceneClass[] unseen = [.. SceneTask.Shapes.UnseenNames.Select(SceneClass.Parse)];
        Assert.Equal(6, unseen.Distinct().Count());
        foreach (SceneClass u in unseen)
        {
            Assert.Contains(seen, s => s.Texture == u.Texture);
            Assert.Contains(seen, s => s.Colour == u.Colour);
            Assert.Contains(seen, s => s.Shape == u.Shape);
        }

        // At least two attributes apart, hence also no word pair of an unseen name in a seen one.
        for (int i = 0; i < 30; i++)
        {
            for (int j = 0; j < i; j++)
            {
                SceneClass a = SceneTask.Shapes.Things[i], b = SceneTask.Shapes.Things[j];
                int different = (a.Texture != b.Texture ? 1 : 0) + (a.Colour != b.Colour ? 1 : 0) + (a.Shape != b.Shape ? 1 : 0);
                Assert.True(different >= 2, $"{a} and {b}");
            }
        }
    }

    [Fact]
    public void LabelIdsAreTheTablePositions()
    {
        for (int i = 0; i < 30; i++)
        {
            Assert.Equal(i, SceneTask.Shapes.IdOf(SceneTask.Shapes.Things[i]));
            Assert.Equal(i >= 24, SceneTask.Shapes.IsUnseen(i));
        }

        Assert.False(SceneTask.Shapes.IsUnseen(255));
        Assert.Equal(255, SceneTask.Shapes.IdOf(SceneClass.Parse("plain red square")));
    }
}
