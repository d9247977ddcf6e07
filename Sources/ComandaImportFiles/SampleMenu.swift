/// A dish of the sample menus.
struct SampleDish: Sendable {
  /// The name as a CSV cell, without its size.
  let name: [UInt8]
  let sku: [UInt8]
  /// In yen; in other currencies a hundredth of it is about right.
  let price: Int
  /// Whether it is sold in sizes, and by weight.
  let kind: Kind

  enum Kind: Sendable {
    /// One size only.
    case single
    /// Small, medium or large.
    case sized
    /// Per kilogram.
    case weighed
  }

  init(_ name: String, _ sku: String, _ price: Int, _ kind: Kind = .single) {
    self.name = Array(name.utf8)
    self.sku = Array(sku.utf8)
    self.price = price
    self.kind = kind
  }
}

/// What the sample orders are made of. Texts with a comma or a quote are put in quotes when they are written.
enum SampleMenu {
  static let dishes: [SampleDish] = [
    SampleDish("天丼", "JP-TENDON", 1180, .sized), SampleDish("親子丼", "JP-OYAKO", 980, .sized),
    SampleDish("鮭おにぎり", "JP-ONI-SAKE", 180), SampleDish("味噌ラーメン", "JP-RAMEN-MISO", 1050, .sized),
    SampleDish("にぎり寿司 特上", "JP-SUSHI-TOKU", 2980), SampleDish("唐揚げ弁当", "JP-KARAAGE", 890),
    SampleDish("抹茶アイス", "JP-MATCHA", 420), SampleDish("緑茶", "JP-TEA", 160),
    SampleDish("Margherita pizza", "IT-MARG", 1450, .sized),
    SampleDish("Pizza \"Quattro Formaggi\"", "IT-4FORM", 1850, .sized),
    SampleDish("Spaghetti carbonara", "IT-CARB", 1380), SampleDish("Tiramisù", "IT-TIRA", 650),
    SampleDish("Chicken burrito", "MX-BUR-CH", 1120), SampleDish("Carnitas tacos, three", "MX-TAC-CA", 980),
    SampleDish("Chips and guacamole", "MX-GUAC", 620, .sized), SampleDish("Horchata", "MX-HORCH", 380, .sized),
    SampleDish("Butter chicken", "IN-BUTTER", 1480), SampleDish("Vegetable biryani", "IN-BIRYANI", 1280, .sized),
    SampleDish("Garlic naan", "IN-NAAN", 320), SampleDish("Mango lassi", "IN-LASSI", 450, .sized),
    SampleDish("Бешбармак", "KZ-BESH", 2200, .sized), SampleDish("Plov", "KZ-PLOV", 1350, .sized),
    SampleDish("Cheeseburger", "US-CHEESE", 880), SampleDish("12\" submarine, turkey", "US-SUB12", 1240),
    SampleDish("French fries", "US-FRIES", 360, .sized), SampleDish("Cola", "US-COLA", 240, .sized),
    SampleDish("Roast beef", "DELI-BEEF", 4800, .weighed), SampleDish("Potato salad", "DELI-POTATO", 1600, .weighed),
    SampleDish("Kimchi", "KR-KIMCHI", 1800, .weighed), SampleDish("石焼ビビンバ", "KR-BIBIM", 1290),
  ]

  static let sizes: [(label: [UInt8], sku: [UInt8], percent: Int)] = [
    (Array(" S".utf8), Array("-S".utf8), 80), (Array(" M".utf8), Array("-M".utf8), 100),
    (Array(" L".utf8), Array("-L".utf8), 130),
  ]

  static let customers: [(name: [UInt8], mail: [UInt8])] = [
    ("佐藤 美咲", "misaki.sato"), ("鈴木 健太", "kenta.suzuki"), ("高橋 陽子", "yoko.takahashi"), ("田中 大輔", "daisuke.tanaka"),
    ("伊藤 さくら", "sakura.ito"), ("渡辺 翔", "sho.watanabe"), ("山本 直樹", "naoki.yamamoto"), ("中村 結衣", "yui.nakamura"),
    ("小林 誠", "makoto.kobayashi"), ("加藤 恵", "megumi.kato"), ("Emma Johnson", "emma.johnson"),
    ("Liam O'Brien", "liam.obrien"), ("Olivia Martínez", "olivia.martinez"), ("Noah Williams, Jr.", "noah.williams"),
    ("Ava Brown", "ava.brown"), ("Айгерім Сейітова", "aigerim.seitova"), ("Sophie Dubois", "sophie.dubois"),
    ("Grace Kim", "grace.kim"),
  ].map { (Array($0.0.utf8), Array($0.1.utf8)) }

  static let streets: [[UInt8]] = [
    "東京都渋谷区神南1-", "東京都新宿区西新宿2-", "大阪府大阪市北区梅田3-", "京都府京都市中京区烏丸通4-", "福岡県福岡市中央区天神5-",
    "Shibuya-ku, Tokyo, Jinnan 1-", "Minato-ku, Tokyo, Azabu 2-", "Yokohama, Naka-ku, Yamashita-cho ",
  ].map { Array($0.utf8) }

  static let orderNotes: [[UInt8]] = [
    "", "", "", "", "インターホンを鳴らしてください", "置き配でお願いします", "Leave at the door, please", "Ring twice, the bell is \"quiet\"",
    "Cutlery for two, no plastic bag",
  ].map { Array($0.utf8) }

  static let itemNotes: [[UInt8]] = [
    "", "", "", "", "", "ネギ抜き", "わさび多め、生姜なし", "no onions, extra cheese", "sauce on the side", "\"well done\", please",
    "allergic to peanuts, sesame",
  ].map { Array($0.utf8) }
}
