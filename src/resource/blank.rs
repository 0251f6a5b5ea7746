//! A spec read from less than a whole one: what is missing, or is not of its type, is left blank.
//!
//! For objects of which no spec is at hand that this version could read: found in AWS and in no record, or recorded by a
//! version whose specs had another form. Enough to look by id, and to remove; never a wish.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde_json::{Error, Value};

/// What a network is where nobody says: it must be one.
const NO_NETWORK: &str = "0.0.0.0/32";

/// Reads as much of `known` as fits; the rest is blank: texts and sets empty, numbers zero, switches off, options absent,
/// and of several forms the first.
///
/// # Errors
/// Where a field's form can only be told from its content, as that of a tagged enum: `known` must hold such a one.
pub fn blank<T: DeserializeOwned>(known: &Value) -> Result<T, Error> {
    T::deserialize(Lenient(Some(known)))
}

/// A value that may be missing, or of another type than asked for.
#[derive(Clone, Copy)]
struct Lenient<'a>(Option<&'a Value>);

impl<'a> Lenient<'a> {
    fn text(self) -> Option<&'a str> {
        self.0.and_then(Value::as_str)
    }

    fn items(self) -> &'a [Value] {
        self.0.and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// A text where the visitor takes any, and else one that it can parse.
    fn visit_text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let is_network = (&visitor as &dyn Expected).to_string().contains("network address");
        visitor.visit_str(self.text().unwrap_or(if is_network { NO_NETWORK } else { "" }))
    }
}

/// Whole numbers: one that is missing is zero.
macro_rules! whole {
    ($($method:ident)*) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0.and_then(Value::as_number) {
                Some(number) => number.$method(visitor),
                None => visitor.visit_u64(0),
            }
        }
    )* };
}

impl<'de> Deserializer<'de> for Lenient<'_> {
    type Error = Error;

    whole! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Some(known) => known.clone().deserialize_any(visitor),
            None => visitor.visit_str(""),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.0.and_then(Value::as_bool).unwrap_or_default())
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_char(self.text().and_then(|text| text.chars().next()).unwrap_or_default())
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.visit_text(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.visit_text(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.visit_text(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bytes(&[])
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bytes(&[])
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            None | Some(Value::Null) => visitor.visit_none(),
            known => visitor.visit_some(Lenient(known)),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(Items { known: self.items(), left: self.items().len() })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(Items { known: self.items(), left: length })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let known = self.0.and_then(Value::as_object);
        let fields = known.into_iter().flatten().map(|(key, value)| (key.as_str(), Lenient(Some(value))));
        visitor.visit_map(Fields { left: fields.collect::<Vec<_>>().into_iter(), value: Lenient(None) })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let known = |field: &&'static str| (*field, Lenient(self.0.and_then(|all| all.get(*field))));
        let fields: Vec<_> = fields.iter().map(known).collect();
        visitor.visit_map(Fields { left: fields.into_iter(), value: Lenient(None) })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let inner = self.0.and_then(Value::as_object).filter(|object| object.len() == 1);
        let inner = inner.and_then(|object| object.iter().next());
        let said = self.text().or(inner.map(|(variant, _)| variant.as_str()));
        let said = said.and_then(|said| variants.iter().find(|variant| **variant == said));
        match (said, variants.first()) {
            (Some(variant), _) => visitor.visit_enum(Form(variant, Lenient(inner.map(|(_, content)| content)))),
            (None, Some(first)) => visitor.visit_enum(Form(first, Lenient(None))),
            (None, None) => Err(serde::de::Error::custom(format!("{name} has no form"))),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}

/// So many elements: those that are known first.
struct Items<'a> {
    known: &'a [Value],
    left: usize,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let (first, rest) = match self.known {
            [first, rest @ ..] => (Some(first), rest),
            [] => (None, &[][..]),
        };
        self.known = rest;
        seed.deserialize(Lenient(first)).map(Some)
    }
}

/// Fields by name, each with what is known of it.
struct Fields<'k, 'a> {
    left: std::vec::IntoIter<(&'k str, Lenient<'a>)>,
    value: Lenient<'a>,
}

impl<'de> MapAccess<'de> for Fields<'_, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((key, value)) = self.left.next() else { return Ok(None) };
        self.value = value;
        let key: StrDeserializer<Error> = key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(self.value)
    }
}

/// One form of several, with what is known of its content.
struct Form<'a>(&'static str, Lenient<'a>);

impl<'de, 'a> EnumAccess<'de> for Form<'a> {
    type Error = Error;
    type Variant = Lenient<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Lenient<'a>), Error> {
        let variant: StrDeserializer<Error> = self.0.into_deserializer();
        Ok((seed.deserialize(variant)?, self.1))
    }
}

impl<'de> VariantAccess<'de> for Lenient<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.deserialize_struct("", fields, visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use ipnet::Ipv4Net;
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    use super::*;
    use crate::stack::Out;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Shape {
        Round,
        Cornered { corners: i32, name: String },
        Other(String),
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Part {
        size: i64,
        shape: Shape,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Spec {
        name: String,
        network: Ipv4Net,
        other: Out<String>,
        days: Option<i32>,
        on: bool,
        parts: Vec<Part>,
        tags: BTreeMap<String, String>,
        peers: BTreeSet<Out<String>>,
        policy: Value,
        shape: Shape,
        pair: (i32, String),
    }

    #[test]
    fn what_is_missing_is_blank() {
        let spec: Spec = blank(&json!({})).unwrap();
        let expected = json!({
            "name": "", "network": NO_NETWORK, "other": "", "days": null, "on": false, "parts": [], "tags": {},
            "peers": [], "policy": "", "shape": "round", "pair": [0, ""],
        });
        assert_eq!(serde_json::to_value(spec).unwrap(), expected);
    }

    #[test]
    fn what_is_known_stays_and_what_does_not_fit_is_blank() {
        let spec: Spec = blank(&json!({
            "name": 7, "network": "10.0.0.0/16", "other": {"$ref": "vpc.vpc_id"}, "days": 3, "on": "yes", "gone": 1,
            "parts": [{"size": 2, "shape": {"cornered": {"corners": 4}}}, {"shape": "hollow"}], "tags": {"a": "b"},
            "peers": ["x"], "policy": {"Statement": []}, "shape": {"other": "oval"}, "pair": [1],
        }))
        .unwrap();
        let expected = json!({
            "name": "", "network": "10.0.0.0/16", "other": {"$ref": "vpc.vpc_id"}, "days": 3, "on": false,
            "parts": [{"size": 2, "shape": {"cornered": {"corners": 4, "name": ""}}}, {"size": 0, "shape": "round"}],
            "tags": {"a": "b"}, "peers": ["x"], "policy": {"Statement": []}, "shape": {"other": "oval"},
            "pair": [1, ""],
        });
        assert_eq!(serde_json::to_value(spec).unwrap(), expected);
    }
}
