"""Common first names and family names of English-speaking countries, and names from elsewhere."""

_FIRST = (
    "james mary robert patricia john jennifer michael linda david elizabeth william barbara "
    "richard susan joseph jessica thomas sarah charles karen christopher lisa daniel nancy "
    "matthew betty anthony margaret donald sandra ashley steven kimberly paul emily andrew donna "
    "joshua michelle kenneth carol kevin amanda brian dorothy george melissa edward deborah "
    "ronald stephanie timothy rebecca jason sharon jeffrey laura ryan cynthia jacob kathleen "
    "gary amy nicholas angela eric shirley jonathan anna stephen brenda larry pamela justin emma "
    "scott nicole brandon helen benjamin samantha samuel katherine gregory christine frank debra "
    "alexander rachel raymond carolyn patrick janet jack catherine dennis maria jerry heather "
    "alex jane mohammed fatima wei priya ahmed olga ivan chen yuki carlos sofia pierre ingrid"
)
_FAMILY = (
    "smith johnson williams brown jones garcia miller davis rodriguez martinez hernandez lopez "
    "gonzalez wilson anderson taylor moore jackson martin lee perez thompson white harris sanchez "
    "clark ramirez lewis robinson walker young allen king wright torres nguyen hill flores green "
    "adams nelson baker hall rivera campbell mitchell carter roberts gomez phillips evans turner "
    "diaz parker cruz edwards collins reyes stewart morris morales murphy cook rogers gutierrez "
    "ortiz morgan cooper peterson bailey reed kelly howard ramos kim cox ward richardson watson "
    "brooks chavez wood bennett gray mendoza ruiz hughes price alvarez castillo sanders patel "
    "myers novak ross foster jimenez doe schmidt mueller rossi silva kowalski ivanov tanaka singh"
)

FIRST, FAMILY = _FIRST.split(), _FAMILY.split()
